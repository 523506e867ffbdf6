use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::Command;
use std::sync::atomic::{AtomicU64, Ordering};

use gangplank_key::SigningKey;

use super::*;

/// In the order in which a first start writes them.
const FILES: [&str; 8] = [
    "server.key",
    "root.key",
    "root.pem",
    "signing.key",
    "signing.pem",
    "tls.key",
    "tls.pem",
    "admin.token",
];
const KEYS: [&str; 5] = [
    "server.key",
    "root.key",
    "signing.key",
    "tls.key",
    "admin.token",
];
/// 2026-01-01T00:00:00Z
const START: u64 = 1_767_225_600;
const DAY: u64 = 24 * 60 * 60;

fn at(seconds: u64) -> UnixTime {
    UnixTime::since_unix_epoch(Duration::from_secs(seconds))
}

fn directory() -> tempfile::TempDir {
    let directory = tempfile::tempdir().unwrap();
    set_mode(directory.path(), 0o700);
    directory
}

fn open(directory: &Path) -> Result<Authority, AuthorityError> {
    Authority::open(directory, "orchestrator.example", at(START))
}

fn read(directory: &Path, name: &str) -> String {
    fs::read_to_string(directory.join(name)).unwrap()
}

fn mode(path: &Path) -> u32 {
    fs::metadata(path).unwrap().permissions().mode() & 0o7777
}

fn set_mode(path: &Path, mode: u32) {
    fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
}

/// What openssl prints; panics with what it complains about.
fn openssl(directory: &Path, arguments: &[&str]) -> String {
    let run = Command::new("openssl")
        .args(arguments)
        .current_dir(directory)
        .output()
        .unwrap();
    let (out, complaint) = (
        run.stdout,
        String::from_utf8_lossy(&run.stderr).into_owned(),
    );
    assert!(run.status.success(), "openssl {arguments:?}: {complaint}");
    String::from_utf8(out).unwrap()
}

fn certificate_text(directory: &Path, file: &str) -> String {
    openssl(directory, &["x509", "-in", file, "-noout", "-text"])
}

fn tls_certificate(authority: &Authority) -> CertificateDer<'static> {
    authority.tls.0.get().cert[0].clone()
}

#[test]
fn first_start_makes_a_private_directory_with_all_files() {
    let parent = directory();
    let path = parent.path().join("new/data");
    let first = open(&path).unwrap();
    assert_eq!(mode(&path), 0o700);
    let mut found: Vec<_> = fs::read_dir(&path)
        .unwrap()
        .map(|e| e.unwrap().file_name())
        .collect();
    found.sort();
    let mut expected = FILES;
    expected.sort_unstable();
    assert_eq!(found, expected);
    for file in FILES {
        assert_eq!(mode(&path.join(file)), 0o600, "{file}");
    }
    let again = open(&path).unwrap();
    assert_eq!(first.root_fingerprint(), again.root_fingerprint());
    assert_eq!(first.signer().id(), again.signer().id());
    assert_eq!(tls_certificate(&first), tls_certificate(&again));
    assert!(first.admin_token().matches(again.admin_token().expose()));
}

#[test]
fn openssl_agrees_with_every_certificate() {
    let directory = directory();
    let now = UnixTime::now();
    Authority::open(directory.path(), "orchestrator.example", now).unwrap();
    let verify = |purpose: &[&str], file| {
        let arguments = [
            &["verify", "-x509_strict", "-CAfile", "root.pem"],
            purpose,
            &[file],
        ]
        .concat();
        openssl(directory.path(), &arguments)
    };
    for host in [
        ["-verify_hostname", "orchestrator.example"],
        ["-verify_ip", "::1"],
    ] {
        verify(&["-purpose", "sslserver", host[0], host[1]], "tls.pem");
    }
    verify(&[], "signing.pem");

    let root = certificate_text(directory.path(), "root.pem");
    assert!(root.contains("CA:TRUE, pathlen:0"), "{root}");
    assert!(root.contains("Certificate Sign, CRL Sign"), "{root}");
    let tls = certificate_text(directory.path(), "tls.pem");
    assert!(tls.contains("TLS Web Server Authentication"), "{tls}");
    let names = "DNS:orchestrator.example, DNS:localhost, IP Address:127.0.0.1, IP Address:0:0:0:0:0:0:0:1, DNS:*.orchestrator.example";
    assert!(tls.contains(names), "{tls}");
    let signing = certificate_text(directory.path(), "signing.pem");
    assert!(signing.contains("Digital Signature"), "{signing}");
    // The arc 2.25 holds UUIDs (ITU-T X.667); openssl prints a purpose it has no name for as its OID.
    assert!(
        signing.contains("X509v3 Extended Key Usage: \n                2.25."),
        "{signing}"
    );
    assert!(
        !signing.contains("TLS Web Server Authentication"),
        "{signing}"
    );
}

#[test]
fn signer_signs_with_the_key_of_its_certificate() {
    let directory = directory();
    let signer = open(directory.path()).unwrap().signer();
    let fingerprint = openssl(
        directory.path(),
        &[
            "x509",
            "-in",
            "signing.pem",
            "-noout",
            "-fingerprint",
            "-sha256",
        ],
    );
    let hex = fingerprint
        .trim()
        .split('=')
        .nth(1)
        .unwrap()
        .replace(':', "")
        .to_lowercase();
    assert_eq!(signer.id().as_str(), hex);

    let signature = signer.key().sign(b"payload").unwrap();
    let path = |name| directory.path().join(name);
    fs::write(path("payload"), "payload").unwrap();
    fs::write(path("signature"), signature.to_wire()).unwrap();
    let public = openssl(
        directory.path(),
        &["x509", "-in", "signing.pem", "-noout", "-pubkey"],
    );
    fs::write(path("public"), public).unwrap();
    let verify = [
        "dgst",
        "-sha256",
        "-verify",
        "public",
        "-signature",
        "signature",
        "payload",
    ];
    openssl(directory.path(), &verify);
}

#[test]
fn being_killed_after_any_file_costs_nothing() {
    let whole = directory();
    open(whole.path()).unwrap();
    for written in 0..=FILES.len() {
        let partial = directory();
        for file in &FILES[..written] {
            fs::copy(whole.path().join(file), partial.path().join(file)).unwrap();
        }
        fs::write(partial.path().join(".unfinished-abcdef"), "half a k").unwrap();
        open(partial.path()).unwrap();
        for file in FILES {
            let kept = read(partial.path(), file) == read(whole.path(), file);
            assert_eq!(
                kept,
                FILES[..written].contains(&file),
                "{file} after {written} files"
            );
        }
    }
}

#[test]
fn missing_certificates_are_made_again_from_their_keys() {
    let directory = directory();
    let now = UnixTime::now();
    let open = || Authority::open(directory.path(), "localhost", now).unwrap();
    let first = open();
    let keys = KEYS.map(|file| read(directory.path(), file));
    for file in ["root.pem", "signing.pem", "tls.pem"] {
        fs::remove_file(directory.path().join(file)).unwrap();
        let again = open();
        assert_eq!(KEYS.map(|file| read(directory.path(), file)), keys);
        assert_eq!(
            first.signer().key().public_key(),
            again.signer().key().public_key()
        );
        // Leaves issued before still lead to a root that was made again.
        openssl(
            directory.path(),
            &["verify", "-CAfile", "root.pem", "tls.pem", "signing.pem"],
        );
    }
}

#[test]
fn a_lost_root_or_server_key_is_not_replaced() {
    for lost in ["root.key", "server.key"] {
        let directory = directory();
        open(directory.path()).unwrap();
        fs::remove_file(directory.path().join(lost)).unwrap();
        let error = open(directory.path()).unwrap_err();
        assert!(
            matches!(&error, AuthorityError::Lost { path, .. } if path.ends_with(lost)),
            "{error}"
        );
        assert!(!directory.path().join(lost).exists());
    }
}

#[test]
fn a_garbled_file_is_named_and_left_alone() {
    let garbage = [
        "",
        "garbage\n",
        "-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n",
    ];
    for file in [
        "server.key",
        "root.key",
        "root.pem",
        "signing.key",
        "tls.key",
        "admin.token",
    ] {
        for text in garbage {
            let directory = directory();
            open(directory.path()).unwrap();
            if file == "admin.token" && text.starts_with('-') {
                continue;
            }
            fs::write(directory.path().join(file), text).unwrap();
            let error = open(directory.path()).unwrap_err();
            let named =
                matches!(&error, AuthorityError::Unusable { path, .. } if path.ends_with(file));
            assert!(named, "{error}");
            assert_eq!(read(directory.path(), file), text);
        }
    }
}

#[test]
fn a_foreign_root_certificate_is_refused() {
    let (ours, theirs) = (directory(), directory());
    open(ours.path()).unwrap();
    open(theirs.path()).unwrap();
    fs::copy(theirs.path().join("root.pem"), ours.path().join("root.pem")).unwrap();
    let error = open(ours.path()).unwrap_err().to_string();
    assert!(
        error.contains("root.pem does not belong to root.key"),
        "{error}"
    );
}

#[test]
fn garbled_or_foreign_leaves_are_issued_again() {
    let (ours, theirs) = (directory(), directory());
    open(ours.path()).unwrap();
    open(theirs.path()).unwrap();
    for (file, replacement) in [
        ("tls.pem", "garbage".to_owned()),
        ("tls.pem", read(theirs.path(), "tls.pem")),
        ("signing.pem", read(theirs.path(), "signing.pem")),
        // A TLS certificate never serves for signing, not even with the same key.
        ("signing.pem", read(ours.path(), "tls.pem")),
    ] {
        fs::write(ours.path().join(file), &replacement).unwrap();
        open(ours.path()).unwrap();
        assert_ne!(read(ours.path(), file), replacement, "{file}");
    }
    let tls_key = read(ours.path(), "tls.key");
    fs::write(ours.path().join("signing.key"), tls_key).unwrap();
    fs::copy(ours.path().join("tls.pem"), ours.path().join("signing.pem")).unwrap();
    open(ours.path()).unwrap();
    assert!(!certificate_text(ours.path(), "signing.pem").contains("TLS Web Server"));
}

#[test]
fn secrets_open_to_others_are_refused_with_the_command_that_helps() {
    for file in KEYS {
        for open_to in [0o640, 0o604, 0o620, 0o601] {
            let directory = directory();
            open(directory.path()).unwrap();
            let path = directory.path().join(file);
            set_mode(&path, open_to);
            let error = open(directory.path()).unwrap_err();
            assert!(
                matches!(error, AuthorityError::OpenToOthers { .. }),
                "{error}"
            );
            let help = format!("`chmod 600 {}`", path.display());
            assert!(error.to_string().contains(&help), "{error}");
            assert_eq!(mode(&path), open_to);
        }
    }
}

#[test]
fn an_empty_directory_is_tightened_and_a_used_one_refused() {
    let directory = directory();
    set_mode(directory.path(), 0o755);
    open(directory.path()).unwrap();
    assert_eq!(mode(directory.path()), 0o700);
    set_mode(directory.path(), 0o750);
    let error = open(directory.path()).unwrap_err().to_string();
    assert!(error.contains("`chmod 700 "), "{error}");
}

#[test]
fn leaves_are_renewed_in_their_last_third_over_the_same_keys() {
    let directory = directory();
    let authority = open(directory.path()).unwrap();
    let (tls, signer) = (tls_certificate(&authority), authority.signer());
    assert!(!authority.renew_due(at(START + 59 * DAY)));
    authority.renew(at(START + 59 * DAY)).unwrap();
    assert_eq!(tls_certificate(&authority), tls);

    let later = at(START + 61 * DAY);
    assert!(authority.renew_due(later));
    authority.renew(later).unwrap();
    assert!(!authority.renew_due(later));
    assert_ne!(tls_certificate(&authority), tls);
    assert_ne!(authority.signer().id(), signer.id());
    assert_eq!(
        authority.signer().key().public_key(),
        signer.key().public_key()
    );
    // What runs is what a restart finds.
    let restarted = Authority::open(directory.path(), "orchestrator.example", later).unwrap();
    assert_eq!(tls_certificate(&restarted), tls_certificate(&authority));
    assert_eq!(restarted.signer().id(), authority.signer().id());
    assert_eq!(restarted.root_fingerprint(), authority.root_fingerprint());
}

#[test]
fn leaves_are_renewed_at_start_and_when_the_clock_was_set_back() {
    let directory = directory();
    let open = |now| Authority::open(directory.path(), "orchestrator.example", at(now)).unwrap();
    let first = tls_certificate(&open(START + 5 * DAY));
    let expired = tls_certificate(&open(START + 200 * DAY));
    assert_ne!(first, expired);
    let set_back = tls_certificate(&open(START + 100 * DAY));
    assert_ne!(expired, set_back);
}

#[test]
fn no_leaf_outlives_the_root() {
    let directory = directory();
    let authority = open(directory.path()).unwrap();
    let end = START + 20 * 365 * DAY;
    authority.renew(at(end - DAY)).unwrap();
    assert_eq!(authority.validity.get()[0].not_after, end);
    let error = authority.renew(at(end + 1)).unwrap_err();
    assert!(
        matches!(error, AuthorityError::RootNotValid { .. }),
        "{error}"
    );
    let error = Authority::open(directory.path(), "localhost", at(0)).unwrap_err();
    assert!(
        matches!(error, AuthorityError::RootNotValid { .. }),
        "{error}"
    );
}

#[test]
fn another_public_host_gets_another_tls_certificate() {
    let directory = directory();
    let open =
        |host| Authority::open(directory.path(), host, at(START)).map(|a| tls_certificate(&a));
    let first = open("orchestrator.example").unwrap();
    assert_eq!(open("ORCHESTRATOR.example").unwrap(), first);
    assert_eq!(open("localhost").unwrap(), first);
    assert_ne!(open("[2001:db8::7]").unwrap(), first);
    assert!(
        certificate_text(directory.path(), "tls.pem").contains("IP Address:2001:DB8:0:0:0:0:0:7")
    );
    assert_ne!(open("192.0.2.1").unwrap(), first);
    for host in ["", "not a host", "exämple.org", "-"] {
        assert!(matches!(open(host), Err(AuthorityError::Host(_))), "{host}");
    }
}

#[test]
fn sub_keys_are_hmacs_as_openssl_computes_them() {
    let directory = directory();
    let authority = open(directory.path()).unwrap();
    let key = format!("hexkey:{}", read(directory.path(), "server.key").trim());
    fs::write(directory.path().join("label"), "nonces").unwrap();
    let mac = [
        "dgst", "-sha256", "-mac", "HMAC", "-macopt", &key, "-r", "label",
    ];
    let expected = openssl(directory.path(), &mac);
    let derived: String = authority
        .server_key()
        .derive("nonces")
        .iter()
        .map(|b| format!("{b:02x}"))
        .collect();
    assert_eq!(expected.split(' ').next().unwrap(), derived);
    assert_ne!(
        authority.server_key().derive("nonces"),
        authority.server_key().derive("secrets")
    );
}

#[test]
fn the_admin_token_is_compared_whole_and_never_printed() {
    let directory = directory();
    let authority = open(directory.path()).unwrap();
    let token = read(directory.path(), "admin.token");
    assert_eq!(token.len(), 44);
    let token = token.trim_end();
    assert!(authority.admin_token().matches(token));
    for other in [
        "",
        &token[1..],
        &token[..42],
        &format!("{token}A"),
        &token.to_lowercase(),
    ] {
        assert!(!authority.admin_token().matches(other));
    }
    let printed = format!("{authority:?}");
    assert!(!printed.contains(token), "{printed}");
    assert!(
        !printed.contains(read(directory.path(), "server.key").trim()),
        "{printed}"
    );
}

#[tokio::test(start_paused = true)]
async fn a_running_server_renews_by_itself_and_stops_when_asked() {
    let directory = directory();
    let authority = Arc::new(open(directory.path()).unwrap());
    let before = authority.signer();
    let clock = Arc::new(AtomicU64::new(START));
    let (trigger, shutdown) = Shutdown::new();
    let hour = Duration::from_secs(3600);
    let reading = Arc::clone(&clock);
    let clock_now = move || at(reading.load(Ordering::SeqCst));
    let task = tokio::spawn(Arc::clone(&authority).keep_renewed(clock_now, hour, shutdown));
    tokio::time::sleep(hour * 3 / 2).await;
    assert_eq!(authority.signer().id(), before.id());
    clock.store(START + 61 * DAY, Ordering::SeqCst);
    tokio::time::sleep(hour).await;
    trigger.shut_down();
    task.await.unwrap();
    assert_ne!(authority.signer().id(), before.id());
}

#[test]
fn devices_believe_the_signing_certificate_and_never_the_tls_certificate() {
    let directory = directory();
    let authority = open(directory.path()).unwrap();
    let verify = |certificate: CertificateDer<'static>| {
        let backend = gangplank_key::Backend::AWS_LC_RS;
        let root = authority.root_certificate();
        gangplank_trust::orchestrator::verify_orchestrator(&[certificate], root, backend, at(START))
    };
    let signer = authority.signer();
    let trusted = verify(signer.certificate().clone()).unwrap();
    assert_eq!(trusted.id(), signer.id());
    assert_eq!(trusted.key(), signer.key().public_key());
    assert!(verify(tls_certificate(&authority)).is_err());
}
