//! The suite `hono`: names and templates as Eclipse Hono has them, and where gangplank must differ.

// A test reports by panicking; clippy sees that only inside the test functions themselves.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing
)]

use gangplank_trust::{
    DistinguishedName, FillError, Placeholder, Template, TemplateError, TemplateUse,
    UnusableSubject,
};
use serde_json::{Value, json};

mod suite;

use suite::{Outcome, Run, Vectors, bytes, flag, hex, known_members, same, text};

#[test]
fn names() {
    let Some(vectors) = Vectors::read("dn_vectors.json") else {
        return;
    };
    let mut run = Run::new("names");
    run.every(&vectors, "from_string", 33, from_string);
    run.every(&vectors, "from_der", 29, from_der);
    run.every(&vectors, "equality", 15, equality);
    run.finish();
}

#[test]
fn templates() {
    let Some(vectors) = Vectors::read("template_vectors.json") else {
        return;
    };
    assert_eq!(vectors.0["device_id_pattern"], "^[a-zA-Z0-9_.:=-]+$");
    let mut run = Run::new("templates");
    run.every(&vectors, "apply", 29, apply);
    run.every(&vectors, "validity", 14, validity);
    run.finish();
}

fn from_string(case: &Value) -> Outcome {
    // `rfc2253_of_der` and `gangplank` are named by the suite's README, and no case has them yet.
    known_members(case, "id input error rfc2253 der relation")?;
    let found = DistinguishedName::parse(text(case, "input"));
    if case["error"] == json!(true) {
        return match found {
            Err(_) => Ok(()),
            Ok(name) => Err(format!("is read as {name}")),
        };
    }
    let name = found.map_err(|error| error.to_string())?;
    same(name.to_string().as_str(), text(case, "rfc2253"))?;
    same(hex(&name.to_der()).as_str(), text(case, "der"))?;
    let of_der = DistinguishedName::from_der(&name.to_der()).map_err(|error| error.to_string())?;
    same(of_der.to_string().as_str(), text(case, "rfc2253"))
}

fn from_der(case: &Value) -> Outcome {
    known_members(case, "id what der rfc2253 identity why may_reject visible")?;
    let name = match DistinguishedName::from_der(&bytes(text(case, "der"))) {
        Err(_) if case["may_reject"] == json!(true) => return Ok(()),
        found => found.map_err(|error| error.to_string())?,
    };
    same(name.to_string().as_str(), text(case, "rfc2253"))?;
    same(hex(&name.to_der()).as_str(), text(case, "der"))?;
    let why = match name.check_usable() {
        Ok(()) => None,
        Err(UnusableSubject::StringType { .. }) => Some("string type"),
        Err(UnusableSubject::Undecodable { .. }) => Some("undecodable"),
        Err(UnusableSubject::ControlCharacter { .. }) => Some("control character"),
        Err(other) => return Err(other.to_string()),
    };
    let identity = if why.is_some() { "refused" } else { "usable" };
    same(identity, text(case, "identity"))?;
    same(why, case["why"].as_str())?;
    for (member, value) in case["visible"].as_object().into_iter().flatten() {
        let template = Template::parse(&format!("{{{{subject-{member}}}}}")).unwrap();
        let found = template.fill(&name).ok();
        same(found.as_ref().map(|filled| filled.as_str()), value.as_str())?;
    }
    Ok(())
}

fn equality(case: &Value) -> Outcome {
    known_members(case, "id what a b equal jdk_equal strings_equal")?;
    let read = |member| DistinguishedName::from_der(&bytes(text(case, member)));
    let a = read("a").map_err(|error| error.to_string())?;
    let b = read("b").map_err(|error| error.to_string())?;
    same(a.to_string() == b.to_string(), flag(case, "strings_equal"))?;
    same(a.matches(&b), flag(case, "equal"))?;
    same(b.matches(&a), flag(case, "equal"))
}

fn apply(case: &Value) -> Outcome {
    known_members(
        case,
        "id template subject_dn subject_der hono gangplank relation device_id_ok note",
    )?;
    let expected = &case["gangplank"];
    let Ok(of_text) = DistinguishedName::parse(text(case, "subject_dn")) else {
        return same(json!({"refuse": "dn-invalid"}), expected.clone());
    };
    let der = bytes(text(case, "subject_der"));
    let subject = DistinguishedName::from_der(&der).map_err(|error| error.to_string())?;
    let template = Template::parse(text(case, "template")).map_err(|error| error.to_string())?;
    let found = match template.fill(&subject) {
        Ok(filled) => {
            let fits = case["device_id_ok"].as_bool();
            same(Some(filled.fits_device_id()), fits)?;
            json!({"result": filled.as_str()})
        }
        Err(FillError::DoubledAttribute { .. }) => json!({"refuse": "subject-unusable"}),
        Err(FillError::Absent { .. } | FillError::Empty { .. } | FillError::NotText { .. }) => {
            json!({"refuse": "template-attribute-missing"})
        }
        Err(other) => return Err(other.to_string()),
    };
    // The subject's text is the DER's where a text can say it, and gives the same.
    if of_text.to_der() == der {
        same(template.fill(&of_text), template.fill(&subject))?;
    }
    same(&found, expected)
}

fn validity(case: &Value) -> Outcome {
    known_members(case, "id template valid why unknown lints")?;
    let (why, unknown) = match Template::parse(text(case, "template")) {
        Ok(template) => {
            same(true, flag(case, "valid"))?;
            let lints = |purpose| -> Vec<&str> {
                let found = template.lints(purpose);
                found.iter().map(|lint| lint.name()).collect()
            };
            let found = json!({
                "auth-id-template": lints(TemplateUse::AuthId),
                "device-id-template": lints(TemplateUse::DeviceId),
            });
            return same(&found, &case["lints"]);
        }
        Err(TemplateError::NoPlaceholder) => ("no-placeholder", Value::Null),
        Err(TemplateError::UnknownPlaceholder { unknown }) => {
            ("unknown-placeholder", json!(unknown))
        }
        Err(other) => return Err(other.to_string()),
    };
    same(false, flag(case, "valid"))?;
    same(why, text(case, "why"))?;
    same(&unknown, &case["unknown"])
}

#[test]
fn placeholders_are_those_of_the_suite() {
    // The visible values of `from_der` are asked for by these names.
    assert_eq!(Placeholder::SubjectCn.text(), "{{subject-cn}}");
    assert_eq!(Placeholder::SubjectO.text(), "{{subject-o}}");
}
