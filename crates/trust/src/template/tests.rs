use proptest::prelude::*;

use super::*;
use crate::DistinguishedName;

fn subject(text: &str) -> DistinguishedName {
    DistinguishedName::parse(text).unwrap()
}

fn filled(template: &str, text: &str) -> Result<String, FillError> {
    let template = Template::parse(template).unwrap();
    let filled = template.fill(&subject(text))?;
    Ok(String::from(filled.as_str()))
}

fn unknown(template: &str) -> Vec<String> {
    match Template::parse(template) {
        Err(TemplateError::UnknownPlaceholder { unknown }) => unknown,
        other => panic!("{other:?}"),
    }
}

#[test]
fn placeholders_end_at_the_next_braces_of_their_line() {
    assert_eq!(unknown("{{{subject-cn}}"), ["{{{subject-cn}}"]);
    assert_eq!(unknown("{{}}{{subject-cn}}"), ["{{}}"]);
    assert_eq!(unknown("{{{}}}"), ["{{{}}"]);
    assert_eq!(
        unknown("{{ subject-cn}}{{Subject-cn}}"),
        ["{{ subject-cn}}", "{{Subject-cn}}"]
    );
    for end in ['\n', '\r', '\u{85}', '\u{2028}', '\u{2029}'] {
        let template = format!("{{{{a{end}{{{{subject-cn}}}}");
        let expected = format!("{{{{a{end}x");
        assert_eq!(filled(&template, "CN=x").unwrap(), expected);
        let split = format!("{{{{subject{end}-cn}}}}");
        assert_eq!(Template::parse(&split), Err(TemplateError::NoPlaceholder));
    }
    assert_eq!(filled("}}{{subject-cn}}{", "CN=x").unwrap(), "}}x{");
    assert_eq!(filled("{{subject-cn}}}}{{", "CN=x").unwrap(), "x}}{{");
}

#[test]
fn hostile_values_go_in_as_they_are() {
    for value in [
        "$1",
        "$0",
        "${name}",
        "a\\b",
        "{{subject-o}}",
        "\u{1}\u{7f}",
        "\u{202e}x",
        "x}}",
    ] {
        let escaped = value.replace('\\', "\\\\");
        let text = format!("CN={escaped},OU=unit,O=org");
        assert_eq!(
            filled("<{{subject-cn}}|{{subject-ou}}|{{subject-o}}>", &text).unwrap(),
            format!("<{value}|unit|org>")
        );
    }
}

#[test]
fn only_one_attribute_of_a_relative_name_shows() {
    let cn = Placeholder::SubjectCn;
    let ou = Placeholder::SubjectOu;
    for text in [
        "CN=a+serialNumber=1",
        "C=DE+CN=a",
        "OU=a",
        "CN=a+1.2.3=b,O=c",
    ] {
        let error = filled("{{subject-cn}}", text).unwrap_err();
        assert_eq!(error, FillError::Absent { placeholder: cn }, "{text}");
    }
    let error = filled("{{subject-ou}}", "OU=b+CN=a").unwrap_err();
    assert_eq!(error, FillError::Absent { placeholder: ou });
    assert_eq!(filled("{{subject-cn}}", "OU=b+CN=a").unwrap(), "a");
    // From the right end; the first that shows it decides.
    assert_eq!(
        filled("{{subject-cn}}", "CN=left,CN=right").unwrap(),
        "right"
    );
    assert_eq!(
        filled("{{subject-cn}}", "CN=left,CN=right+C=DE").unwrap(),
        "left"
    );
    for (text, error) in [
        ("CN=left,CN=", FillError::Empty { placeholder: cn }),
        ("CN=left,CN=#020101", FillError::NotText { placeholder: cn }),
        (
            "CN=a,OU=b+OU=c,O=d",
            FillError::DoubledAttribute { position: 1 },
        ),
    ] {
        assert_eq!(filled("{{subject-cn}}", text), Err(error), "{text}");
    }
    let placeholder = Placeholder::SubjectDn;
    assert_eq!(
        filled("{{subject-dn}}", ""),
        Err(FillError::Empty { placeholder })
    );
}

#[test]
fn equal_ids_of_other_values_are_told_apart() {
    let template = Template::parse("{{subject-cn}}:{{subject-ou}}").unwrap();
    let one = template.fill(&subject("CN=a,OU=b:c")).unwrap();
    let other = template.fill(&subject("CN=a:b,OU=c")).unwrap();
    assert_eq!(one.as_str(), other.as_str());
    assert_ne!(one, other);
    let values: Vec<_> = other.values().collect();
    assert_eq!(
        values,
        [
            (Placeholder::SubjectCn, "a:b"),
            (Placeholder::SubjectOu, "c")
        ]
    );
}

#[test]
fn what_a_template_makes_is_bounded() {
    let long = format!("CN={}", "a".repeat(MAX_FILLED_BYTES / 8));
    let eight = "{{subject-cn}}".repeat(8);
    assert_eq!(filled(&eight, &long).unwrap().len(), MAX_FILLED_BYTES);
    let error = filled(&format!("{eight}x"), &long).unwrap_err();
    let length = MAX_FILLED_BYTES + 1;
    assert_eq!(error, FillError::TooLong { length });
}

#[test]
fn ids_of_devices_have_few_characters() {
    for (value, fits) in [
        ("aZ09_.:=-", true),
        ("a b", false),
        ("a/b", false),
        ("\u{e4}", false),
    ] {
        let template = Template::parse("{{subject-cn}}").unwrap();
        let text = format!("CN={value}");
        assert_eq!(
            template.fill(&subject(&text)).unwrap().fits_device_id(),
            fits
        );
    }
}

proptest! {
    #[test]
    fn no_text_makes_it_panic(text in "[{}a\n]{0,12}(\\{\\{subject-(cn|o|x)\\}\\})?[{}a\n]{0,12}") {
        if let Ok(template) = Template::parse(&text) {
            prop_assert_eq!(template.as_str(), text.as_str());
            // What is put in is all that changes.
            let filled = template.fill(&subject("CN={{subject-cn}},O={{subject-o}}")).unwrap();
            prop_assert_eq!(filled.as_str(), text.as_str());
        }
    }
}
