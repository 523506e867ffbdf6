use std::fs;

use gangplank_allowlist::{Allowlist, ImageDigest};
use gangplank_testkit::temp_dir;

use super::*;

const A: &str = "a@sha256:fc6a51919cfeb2e6763f62b6d9e8815acbf7cd2e476ea353743570610737b752";

fn image(text: &str) -> Mentioned {
    Mentioned::Image(text.to_owned())
}

fn of(text: &str) -> Vec<(usize, Mentioned)> {
    document::mentioned(text).unwrap()
}

#[test]
fn images_are_found_wherever_they_stand() {
    let compose =
        "services:\n  web:\n    image: a:1\n    command: [image, b]\n  db: {\"image\": 'c'}\n";
    assert_eq!(of(compose), [(3, image("a:1")), (5, image("c"))]);
    let pods = "kind: Pod\nspec:\n  containers:\n  - name: x\n    image: d\n---\nspec:\n  initContainers: [{image: e}]\n";
    assert_eq!(of(pods), [(5, image("d")), (8, image("e"))]);
    assert_eq!(
        of(r#"{"services":{"web":{"image":"f"}}}"#),
        [(1, image("f"))]
    );
    assert_eq!(of("image: >-\n  g\n"), [(2, image("g"))]);
}

#[test]
fn nothing_hides_an_image() {
    // Twice, behind a tag, an anchor, a merge, an alias.
    let text = "image: a\nimage: b\n";
    assert_eq!(of(text), [(1, image("a")), (2, image("b"))]);
    let text = "base: &base\n  image: !!str a\nservices:\n  web:\n    <<: *base\n";
    assert_eq!(of(text), [(2, image("a"))]);
    let text = "name: &n evil\nservices:\n  web:\n    image: *n\n";
    assert_eq!(of(text), [(4, Mentioned::Unnamed(Unnamed::NotText))]);
    let text = "? image\n: a\n? [image]\n: b\n? {image: d}\n: e\n\"im\\u0061ge\": c\n";
    assert_eq!(
        of(text),
        [(2, image("a")), (5, image("d")), (7, image("c"))]
    );
}

#[test]
fn what_names_no_image_is_mentioned_too() {
    let unnamed = |text, line, why| assert_eq!(of(text), [(line, Mentioned::Unnamed(why))]);
    unnamed("services:\n  web:\n    build: .\n", 3, Unnamed::Built);
    unnamed(
        "services:\n  web:\n    build: {context: .}\n",
        3,
        Unnamed::Built,
    );
    unnamed("image:\n  repository: a\n  tag: b\n", 2, Unnamed::NotText);
    let margo = "kind: ApplicationDeployment\nspec:\n  deploymentProfile:\n    type: compose\n    components:\n    - name: x\n      properties:\n        packageLocation: https://a/b.tgz\n";
    unnamed(margo, 8, Unnamed::Package);
    let helm = "spec:\n  deploymentProfile:\n    components:\n    - properties: {repository: 'oci://a/b'}\n";
    unnamed(helm, 4, Unnamed::Package);
    assert_eq!(of("build: 7\nrepository: x\n"), []);
    // No image may be called so.
    assert_eq!(of("image:\n"), [(1, image(""))]);
}

#[test]
fn what_is_no_yaml_is_unreadable() {
    for text in ["a: [", "\ta: b: c", "{", &"[".repeat(100)] {
        assert_eq!(document::mentioned(text), None, "{text}");
    }
}

#[test]
fn a_folder_is_looked_through() {
    let folder = temp_dir();
    let at = |name: &str| folder.path().join(name);
    fs::create_dir_all(at("app/deep")).unwrap();
    fs::create_dir_all(at(".git")).unwrap();
    fs::write(at(".git/x.yaml"), "image: never\n").unwrap();
    fs::write(at("notes.txt"), "image: never\n").unwrap();
    fs::write(at("app/compose.YML"), format!("image: {A}\n")).unwrap();
    fs::write(at("app/deep/x.json"), r#"{"image":"b:1"}"#).unwrap();
    fs::write(at("z.yaml"), b"image: \xff\n").unwrap();
    #[cfg(unix)]
    std::os::unix::fs::symlink("/etc/hostname", at("link.yaml")).unwrap();
    let list = [ImageDigest::parse(&A[2..]).unwrap()];
    let judged = judge(folder.path(), &Gate::new("test", Allowlist::new(&list))).unwrap();
    let found: Vec<_> = judged
        .iter()
        .map(|one| {
            let file = one.mention.file.to_str().unwrap();
            let code = one
                .refused
                .as_ref()
                .map_or("may run", |refused| refused.code);
            (file, one.mention.line, code)
        })
        .collect();
    let mut expected = vec![
        ("app/compose.YML", 1, "may run"),
        ("app/deep/x.json", 1, "no-digest"),
        ("z.yaml", 0, "unreadable"),
    ];
    if cfg!(unix) {
        expected.insert(2, ("link.yaml", 0, "unreadable"));
    }
    assert_eq!(found, expected);
    assert!(mentions(&at("nowhere")).is_err());
}
