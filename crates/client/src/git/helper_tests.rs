use core::time::Duration;

use super::*;

struct Store {
    credential: Credential,
    asked: usize,
    erased: Vec<Option<String>>,
}

impl CredentialSource for Store {
    type Error = &'static str;

    fn get(&mut self) -> Result<Credential, Self::Error> {
        self.asked += 1;
        Ok(self.credential.clone())
    }

    fn erase(&mut self, password: Option<&str>) -> Result<(), Self::Error> {
        self.erased.push(password.map(str::to_owned));
        Ok(())
    }
}

fn store() -> Store {
    let credential = Credential {
        username: "device".to_owned(),
        password: GitToken::from_wire("gpgt_secret".to_owned()).unwrap(),
        expires_at: None,
    };
    Store {
        credential,
        asked: 0,
        erased: Vec::new(),
    }
}

fn repository() -> RepositoryUrl {
    RepositoryUrl::parse("https://example.org:8443/git/d-1.git").unwrap()
}

fn get(store: &mut Store, request: &str) -> String {
    let lines = answer(Action::Get, request.as_bytes(), &repository(), store).unwrap();
    String::from_utf8(lines.to_vec()).unwrap()
}

/// What git 2.47.3 sent to a helper that wrote its input to a file, for `git ls-remote` of the repository above.
const REQUEST: &str = "capability[]=authtype\ncapability[]=state\nprotocol=https\nhost=example.org:8443\n\
    path=git/d-1.git\nwwwauth[]=Basic realm=\"git\"\n";

#[test]
fn the_request_of_git_is_answered() {
    let mut store = store();
    assert_eq!(
        get(&mut store, REQUEST),
        "username=device\npassword=gpgt_secret\n"
    );
    store.credential.expires_at = Some(UnixTime::since_unix_epoch(Duration::from_secs(
        1_800_000_000,
    )));
    assert_eq!(
        get(&mut store, &format!("{REQUEST}username=device\n\nignored")),
        "username=device\npassword=gpgt_secret\npassword_expiry_utc=1800000000\n"
    );
}

#[test]
fn another_place_gets_nothing_and_asks_nobody() {
    let mut store = store();
    for (from, to) in [
        ("protocol=https", "protocol=http"),
        ("protocol=https\n", ""),
        ("host=example.org:8443", "host=example.org"),
        (
            "host=example.org:8443",
            "host=example.org:8443.evil.example",
        ),
        ("host=example.org:8443", "host=EXAMPLE.org:8443"),
        ("path=git/d-1.git", "path=git/d-2.git"),
        ("path=git/d-1.git", "path=git/d-1.git/x"),
        ("path=git/d-1.git\n", ""),
    ] {
        let request = REQUEST.replace(from, to);
        assert_ne!(request, REQUEST);
        assert_eq!(get(&mut store, &request), "", "{request}");
        answer(Action::Erase, request.as_bytes(), &repository(), &mut store).unwrap();
    }
    assert_eq!((store.asked, store.erased.len()), (0, 0));
    assert_eq!(get(&mut store, &format!("{REQUEST}username=other\n")), "");
}

#[test]
fn erase_tells_which_password() {
    let mut store = store();
    let request = format!("{REQUEST}username=device\npassword=gpgt_old\n");
    assert!(
        answer(Action::Erase, request.as_bytes(), &repository(), &mut store)
            .unwrap()
            .is_empty()
    );
    assert!(
        answer(Action::Erase, REQUEST.as_bytes(), &repository(), &mut store)
            .unwrap()
            .is_empty()
    );
    assert_eq!(store.erased, [Some("gpgt_old".to_owned()), None]);
    assert_eq!(store.asked, 0);
}

#[test]
fn other_actions_are_ignored() {
    let mut store = store();
    for action in ["store", "approve", "", "GET", "capability"] {
        let action = Action::parse(action);
        assert!(
            answer(action, b"nonsense", &repository(), &mut store)
                .unwrap()
                .is_empty()
        );
    }
    assert_eq!((store.asked, store.erased.len()), (0, 0));
}

#[test]
fn requests_that_git_does_not_write_are_refused() {
    for request in [
        REQUEST.replace("d-1.git\n", "d-1.git\r\n").into_bytes(),
        REQUEST.replace("d-1.git", "d-1.git\0").into_bytes(),
        b"protocol\n".to_vec(),
        b"host=\xff\n".to_vec(),
        vec![b'a'; MAX_REQUEST + 1],
    ] {
        let refused = answer(Action::Get, &request, &repository(), &mut store());
        assert!(matches!(refused, Err(HelperError::Request)));
    }
}

#[test]
fn a_credential_that_would_be_more_lines_is_refused() {
    for username in ["", "a\nquit=1", "a\r", "a\0"] {
        let mut store = store();
        store.credential.username = username.to_owned();
        let refused = answer(Action::Get, REQUEST.as_bytes(), &repository(), &mut store);
        assert!(matches!(refused, Err(HelperError::Credential)));
    }
}

#[test]
fn only_plain_https_urls_name_a_repository() {
    for url in [
        "http://example.org/git/d-1.git",
        "https://example.org",
        "https://example.org/",
        "https:///git/d-1.git",
        "https://user@example.org/git/d-1.git",
        "https://example.org/git/d-1.git?x",
        "https://example.org/git/d-1.git#x",
        "https://example.org/git/d%2d1.git",
        "https://example.org/git/d-1.git/",
        "https://example.org/git/d 1.git",
        "https://example.org/git/d-1.git\n",
        "ext::sh -c id",
    ] {
        assert!(RepositoryUrl::parse(url).is_err(), "{url}");
    }
}
