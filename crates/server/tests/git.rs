//! Both parties of git with the ordinary `git` program between them: `gangplank_server::git` behind TLS and Basic
//! authentication, and `gangplank_client::git` fetching from it.

#![cfg(unix)]
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "tests"
)]

mod git_support;

use std::{fs, path::Path, process::Command, time::Duration};

use gangplank_client::git::{Checkout, ExpectedCommit, GitError, Synced};
use gangplank_onboarding::v2024::git_credential::CommitId;
use gangplank_server::git::Limits;
use git_support::{ADMIN_TOKEN, DEVICE_TOKEN, Setup, Site, device, git_in, head, script};
use rustls_pki_types::UnixTime;
use tokio::io::AsyncWriteExt;

const REFS: &str = "/git/d-1.git/info/refs?service=git-upload-pack";

fn commit(hex: &str) -> CommitId {
    CommitId::parse(hex).unwrap()
}

async fn sync(checkout: &Checkout) -> Result<Option<CommitId>, GitError> {
    git_in(&[])
        .clone_or_fetch(checkout)
        .await
        .map(|Synced { commit, .. }| commit)
}

fn manifest(site: &Site) -> String {
    fs::read_to_string(site.path("desired/manifest.yaml")).unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_device_clones_and_then_fetches() {
    let site = Site::start().await;
    let first = site.push("first");
    let seen = site
        .repositories
        .head_commit(&device())
        .await
        .unwrap()
        .unwrap();
    assert_eq!(seen.as_str(), first, "what the operator's git says");
    assert_eq!(
        sync(&site.checkout(ExpectedCommit::Exactly(seen.clone())))
            .await
            .unwrap(),
        Some(seen)
    );
    assert_eq!(manifest(&site), "first");

    // What is no part of the commit does not stay, whoever left it.
    fs::write(site.path("desired/manifest.yaml"), "edited").unwrap();
    fs::create_dir_all(site.path("desired/more/.git")).unwrap();
    fs::write(site.path("desired/more/extra.yaml"), "extra").unwrap();
    let second = commit(&site.push("second"));
    assert_eq!(
        sync(&site.checkout(ExpectedCommit::Exactly(second.clone())))
            .await
            .unwrap(),
        Some(second.clone())
    );
    assert_eq!(manifest(&site), "second");
    assert!(!site.path("desired/more").exists());
    // A branch that moved on shows the commit that was vouched for.
    let third = commit(&site.push("third"));
    assert_eq!(
        sync(&site.checkout(ExpectedCommit::Exactly(second.clone())))
            .await
            .unwrap(),
        Some(second.clone())
    );
    assert_eq!(manifest(&site), "second");
    assert_eq!(
        sync(&site.checkout(ExpectedCommit::NotCompared))
            .await
            .unwrap(),
        Some(third.clone())
    );
    assert_eq!(manifest(&site), "third");
    let git = git_in(&[]);
    git.verify_commit(&site.path("desired"), &third)
        .await
        .unwrap();
    let wrong = git.verify_commit(&site.path("desired"), &second).await;
    assert!(matches!(wrong, Err(GitError::WrongCommit { .. })));
}

#[tokio::test(flavor = "multi_thread")]
async fn the_token_is_nowhere_on_the_disk() {
    let site = Site::start().await;
    site.push("first");
    sync(&site.checkout(ExpectedCommit::NotCompared))
        .await
        .unwrap();
    fn search(folder: &Path, found: &mut usize) {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                search(&path, found);
                continue;
            }
            *found += 1;
            let bytes = fs::read(&path).unwrap();
            assert!(
                !bytes.windows(5).any(|window| window == b"gpgt_"),
                "{}",
                path.display()
            );
        }
    }
    let mut files = 0;
    search(&site.path("desired"), &mut files);
    assert!(files > 5);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_empty_repository_is_an_empty_directory() {
    let site = Site::start().await;
    assert_eq!(
        sync(&site.checkout(ExpectedCommit::NoneYet)).await.unwrap(),
        None
    );
    assert_eq!(
        sync(&site.checkout(ExpectedCommit::NotCompared))
            .await
            .unwrap(),
        None
    );
    assert_eq!(
        fs::read_dir(site.path("desired")).unwrap().count(),
        1,
        "only .git"
    );
    let first = commit(&site.push("first"));
    let early = sync(&site.checkout(ExpectedCommit::NoneYet)).await;
    assert!(
        matches!(early, Err(GitError::WrongCommit { expected: None, found: Some(found) }) if found == first)
    );
    assert_eq!(
        fs::read_dir(site.path("desired")).unwrap().count(),
        1,
        "nothing was checked out"
    );
    sync(&site.checkout(ExpectedCommit::Exactly(first)))
        .await
        .unwrap();
    // Removed and made anew, the repository is empty again, and so is the checkout.
    site.repositories.remove(&device()).await.unwrap();
    assert_eq!(
        sync(&site.checkout(ExpectedCommit::NoneYet)).await.unwrap(),
        None
    );
    assert_eq!(fs::read_dir(site.path("desired")).unwrap().count(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn another_commit_than_the_expected_is_caught() {
    let site = Site::start().await;
    let first = commit(&site.push("first"));
    sync(&site.checkout(ExpectedCommit::Exactly(first.clone())))
        .await
        .unwrap();
    let second = commit(&site.push("second"));
    let absent = commit("0123456789012345678901234567890123456789");
    let error = sync(&site.checkout(ExpectedCommit::Exactly(absent.clone())))
        .await
        .unwrap_err();
    let text = format!("the repository should show commit {absent} and shows commit {second}");
    assert_eq!(error.to_string(), text);
    assert_eq!(manifest(&site), "first");
    git_in(&[])
        .verify_commit(&site.path("desired"), &first)
        .await
        .unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_device_cannot_push() {
    let site = Site::start().await;
    site.push("first");
    let error = site
        .plain_git(
            &site.path("operator"),
            DEVICE_TOKEN,
            &["push", &site.url(), "main:evil"],
        )
        .unwrap_err();
    assert!(error.contains("not found"), "{error}");
    assert_eq!(
        site.get(
            DEVICE_TOKEN,
            "/git/d-1.git/info/refs?service=git-receive-pack"
        )
        .await,
        404
    );
    let post = |token| {
        let body =
            "Content-Type: application/x-git-receive-pack-request\r\nContent-Length: 4\r\n\r\n0000";
        format!("POST /git/d-1.git/git-receive-pack {}{body}", head(token))
    };
    assert_eq!(site.raw(&post(DEVICE_TOKEN)).await, 404);
    assert_eq!(site.raw(&post(ADMIN_TOKEN)).await, 200);
    assert_eq!(
        site.get(
            ADMIN_TOKEN,
            "/git/d-1.git/info/refs?service=git-receive-pack"
        )
        .await,
        200
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn only_the_smart_protocol_of_one_repository_is_served() {
    let site = Site::start().await;
    site.push("first");
    fs::write(site.path("git/secret"), "x").unwrap();
    assert_eq!(site.get(DEVICE_TOKEN, REFS).await, 200);
    for target in [
        "/git/d-1.git/HEAD",
        "/git/d-1.git/config",
        "/git/d-1.git/objects/info/packs",
        "/git/d-1.git/info/refs",
        "/git/d-1.git/info/refs?service=git-upload-archive",
        "/git/d-1.git/info/refs?service=git-upload-pack&a=b",
        "/git/../git/d-1.git/info/refs?service=git-upload-pack",
        "/git/x/../d-1.git/info/refs?service=git-upload-pack",
        "/git/%2e%2e/git/d-1.git/info/refs?service=git-upload-pack",
        "/git/d-1.git%2Finfo%2Frefs?service=git-upload-pack",
        "/git/d-1.git/../secret",
        "/git/..%2fsecret",
    ] {
        assert_eq!(site.get(ADMIN_TOKEN, target).await, 404, "{target}");
    }
    assert_eq!(site.get("wrong", REFS).await, 401);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_refused_password_is_asked_for_once_more() {
    let site = Site::start().await;
    let first = commit(&site.push("first"));
    site.helper("gpgt_expired", Some(DEVICE_TOKEN));
    let checkout = site.checkout(ExpectedCommit::Exactly(first.clone()));
    assert_eq!(sync(&checkout).await.unwrap(), Some(first));
    assert_eq!(site.actions(), ["get", "erase", "get", "store"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_password_refused_twice_is_an_error() {
    let site = Site::start().await;
    site.push("first");
    site.helper("gpgt_wrong", None);
    let error = sync(&site.checkout(ExpectedCommit::NotCompared))
        .await
        .unwrap_err();
    assert!(matches!(error, GitError::Unauthorized), "{error}");
    assert_eq!(site.actions(), ["get", "erase", "get", "erase"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_git_says_to_a_helper_names_the_repository() {
    let site = Site::start().await;
    sync(&site.checkout(ExpectedCommit::NotCompared))
        .await
        .unwrap();
    let log = fs::read_to_string(site.path("helper.log")).unwrap();
    let host = format!("host=127.0.0.1:{}\n", site.port);
    for line in ["protocol=https\n", &host, "path=git/d-1.git\n"] {
        assert!(log.contains(line), "{log}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_packed_negotiation_is_understood() {
    let site = Site::start().await;
    site.push("first");
    sync(&site.checkout(ExpectedCommit::NotCompared))
        .await
        .unwrap();
    // Commits that the server does not know, later than those it does, make git list them, packed.
    let many =
        "export GIT_AUTHOR_NAME=a GIT_AUTHOR_EMAIL=a GIT_COMMITTER_NAME=a GIT_COMMITTER_EMAIL=a
        export GIT_COMMITTER_DATE='4000000000 +0000' GIT_CONFIG_GLOBAL=/dev/null
        for number in $(seq 64); do
            git update-ref refs/heads/b$number $(git commit-tree -m $number HEAD^{tree}) || exit
        done";
    let made = Command::new("sh")
        .args(["-c", many])
        .current_dir(site.path("desired"))
        .status();
    assert!(made.unwrap().success());
    let second = commit(&site.push("second"));
    assert_eq!(
        sync(&site.checkout(ExpectedCommit::NotCompared))
            .await
            .unwrap(),
        Some(second)
    );
    let requests = site.state.requests.lock().unwrap().clone();
    assert!(
        requests
            .iter()
            .any(|request| request == "POST /git/d-1.git/git-upload-pack gzip"),
        "{requests:?}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_big_push_is_streamed_and_a_bigger_one_refused() {
    let limits = Limits {
        push_body: 6 << 20,
        ..Limits::DEFAULT
    };
    let site = Site::start_with(Setup {
        limits,
        ..Setup::default()
    })
    .await;
    site.push("first");
    let noise = |bytes: usize| {
        let mut state = 1_u64;
        let step = |_| {
            state = state
                .wrapping_mul(6_364_136_223_846_793_005)
                .wrapping_add(1);
            (state >> 56) as u8
        };
        (0..bytes).map(step).collect::<Vec<u8>>()
    };
    // git sends more than 1 MiB chunked.
    fs::write(site.path("operator/big"), noise(4 << 20)).unwrap();
    let second = site.push("second");
    assert_eq!(
        site.repositories
            .head_commit(&device())
            .await
            .unwrap()
            .unwrap()
            .as_str(),
        second
    );
    sync(&site.checkout(ExpectedCommit::Exactly(commit(&second))))
        .await
        .unwrap();
    assert_eq!(fs::read(site.path("desired/big")).unwrap(), noise(4 << 20));
    fs::write(site.path("operator/bigger"), noise(8 << 20)).unwrap();
    site.operator(&["add", "."]).unwrap();
    site.operator(&["commit", "-q", "-m", "bigger"]).unwrap();
    let error = site
        .operator(&["push", "-q", &site.url(), "main"])
        .unwrap_err();
    // The answer comes while git still sends, and git may notice the closed connection before it
    // reads the 413; what the server decided is the same in either case.
    let told = error.contains("413") || error.contains("the remote end hung up");
    assert!(told, "{error}");
    assert_eq!(
        site.state.last_error.lock().unwrap().as_deref(),
        Some("the request is larger than 6291456 bytes")
    );
    assert_eq!(
        site.repositories
            .head_commit(&device())
            .await
            .unwrap()
            .unwrap()
            .as_str(),
        second
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn inherited_variables_do_not_weaken() {
    let site = Site::start().await;
    let first = site.push("first");
    let stranger = Site::start().await;
    let hostile = |ca: &Path| {
        git_in(&[
            ("GIT_SSL_NO_VERIFY", Path::new("1")),
            ("GIT_SSL_CAINFO", ca),
            ("GIT_ALLOW_PROTOCOL", Path::new("file:ext")),
            ("GIT_DIR", Path::new("/nonexistent/git")),
            ("GIT_WORK_TREE", Path::new("/nonexistent/tree")),
            ("GIT_CONFIG_COUNT", Path::new("1")),
            ("GIT_CONFIG_KEY_0", Path::new("http.sslVerify")),
            ("GIT_CONFIG_VALUE_0", Path::new("false")),
            (
                "GIT_CONFIG_PARAMETERS",
                Path::new("'http.sslverify'='false'"),
            ),
            ("GIT_TRACE", Path::new("1")),
            ("GIT_TRACE_CURL", Path::new("1")),
        ])
    };
    // The right root, all else hostile: works.
    let checkout = site.checkout(ExpectedCommit::Exactly(commit(&first)));
    hostile(&stranger.ca_file)
        .clone_or_fetch(&checkout)
        .await
        .unwrap();
    // Another root: refused, even with the right one in the environment.
    let wrong = Checkout {
        ca_file: stranger.ca_file.clone(),
        ..checkout.clone()
    };
    let error = hostile(&site.ca_file)
        .clone_or_fetch(&wrong)
        .await
        .unwrap_err();
    assert!(error.to_string().contains("certificate"), "{error}");
    // The proxy counts.
    let proxied = git_in(&[("HTTPS_PROXY", Path::new("http://user:pass@127.0.0.1:1"))]);
    let error = proxied
        .clone_or_fetch(&checkout)
        .await
        .unwrap_err()
        .to_string();
    assert!(
        error.contains("port 1") && !error.contains("pass"),
        "{error}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn the_checkouts_own_settings_do_not_weaken() {
    let site = Site::start().await;
    site.push("first");
    sync(&site.checkout(ExpectedCommit::NotCompared))
        .await
        .unwrap();
    let stranger = Site::start().await;
    for setting in [
        ["http.sslVerify", "false"],
        ["http.followRedirects", "true"],
        ["protocol.allow", "always"],
    ] {
        site.plain_git(
            &site.path("desired"),
            "",
            &["config", setting[0], setting[1]],
        )
        .unwrap();
    }
    let wrong = Checkout {
        ca_file: stranger.ca_file.clone(),
        ..site.checkout(ExpectedCommit::NotCompared)
    };
    assert!(
        sync(&wrong)
            .await
            .unwrap_err()
            .to_string()
            .contains("certificate")
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_redirect_is_not_followed() {
    let site = Site::start().await;
    *site.state.redirect.lock().unwrap() = true;
    let error = sync(&site.checkout(ExpectedCommit::NotCompared))
        .await
        .unwrap_err();
    assert!(matches!(error, GitError::Failed { .. }), "{error}");
    let requests = site.state.requests.lock().unwrap().clone();
    assert_eq!(requests, [format!("GET {REFS}")]);
}

#[tokio::test(flavor = "multi_thread")]
async fn hooks_do_not_run() {
    let site = Site::start().await;
    site.push("first");
    sync(&site.checkout(ExpectedCommit::NotCompared))
        .await
        .unwrap();
    let touch = format!("touch '{}'\n", site.path("ran").display());
    for (folder, names) in [
        (
            site.path("git/d-1.git/hooks"),
            &["pre-receive", "update", "post-receive", "post-update"][..],
        ),
        (
            site.path("desired/.git/hooks"),
            &[
                "post-checkout",
                "reference-transaction",
                "post-index-change",
            ][..],
        ),
    ] {
        fs::create_dir_all(&folder).unwrap();
        names
            .iter()
            .for_each(|name| script(&folder.join(name), &touch));
    }
    let second = commit(&site.push("second"));
    assert_eq!(
        sync(&site.checkout(ExpectedCommit::NotCompared))
            .await
            .unwrap(),
        Some(second)
    );
    assert!(!site.path("ran").exists());
    // The same hooks do run where nothing stops them.
    site.plain_git(&site.path("desired"), "", &["checkout", "-q", "HEAD~1"])
        .unwrap();
    assert!(site.path("ran").exists());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_wrong_clock_is_one_sentence() {
    let site = Site::start_with(Setup {
        validity: (2020, 2021),
        ..Setup::default()
    })
    .await;
    let error = sync(&site.checkout(ExpectedCommit::NotCompared))
        .await
        .unwrap_err();
    // An older libcurl with GnuTLS gives no reason.
    assert!(
        matches!(error, GitError::Clock | GitError::Certificate { .. }),
        "{error}"
    );
    assert!(error.to_string().contains("this device's clock"));
    // A device that knows that it is 2089, and whose clock does not.
    let site = Site::start_with(Setup {
        validity: (2088, 2090),
        ..Setup::default()
    })
    .await;
    let floor = UnixTime::since_unix_epoch(Duration::from_secs(119 * 365 * 86_400));
    let git = git_in(&[]).with_time_floor(floor);
    let error = git
        .clone_or_fetch(&site.checkout(ExpectedCommit::NotCompared))
        .await
        .unwrap_err();
    assert!(matches!(error, GitError::Clock), "{error}");
}

#[tokio::test(flavor = "multi_thread")]
async fn other_folders_are_left_alone() {
    let site = Site::start().await;
    let checkout = site.checkout(ExpectedCommit::NotCompared);
    fs::create_dir(site.path("desired")).unwrap();
    fs::write(site.path("desired/mine.txt"), "mine").unwrap();
    assert!(matches!(
        sync(&checkout).await,
        Err(GitError::NotOurs { .. })
    ));
    site.plain_git(&site.path("desired"), "", &["init", "-q"])
        .unwrap();
    assert!(matches!(
        sync(&checkout).await,
        Err(GitError::NotOurs { .. })
    ));
    assert_eq!(
        fs::read_to_string(site.path("desired/mine.txt")).unwrap(),
        "mine"
    );
    fs::remove_dir_all(site.path("desired")).unwrap();
    // What a killed call leaves is no obstacle.
    fs::create_dir_all(site.path("desired/.gangplank-new-x/.git")).unwrap();
    sync(&checkout).await.unwrap();
    let elsewhere = Checkout {
        url: site.url().replace("d-1", "d-2"),
        ..checkout
    };
    assert!(matches!(
        sync(&elsewhere).await,
        Err(GitError::NotOurs { .. })
    ));
    assert_eq!(fs::read_dir(site.path("desired")).unwrap().count(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn without_git_or_with_another_scheme_there_is_one_sentence() {
    let site = Site::start().await;
    let checkout = site.checkout(ExpectedCommit::NotCompared);
    let error = gangplank_client::git::Git::new("/nonexistent/git")
        .clone_or_fetch(&checkout)
        .await
        .unwrap_err();
    let text = "git is needed to fetch the desired state, and /nonexistent/git cannot be started: install git";
    assert_eq!(error.to_string(), text);
    for url in [
        "ext::sh -c id",
        "file:///etc",
        "http://127.0.0.1/git/d-1.git",
        "--upload-pack=x",
    ] {
        let other = Checkout {
            url: url.to_owned(),
            ..checkout.clone()
        };
        assert!(matches!(sync(&other).await, Err(GitError::Url)));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_server_gives_git_a_clean_environment() {
    let folder = tempfile::tempdir().unwrap();
    let (wrapper, seen) = (folder.path().join("git"), folder.path().join("seen"));
    script(
        &wrapper,
        &format!("env > '{}'\nexec git \"$@\"\n", seen.display()),
    );
    let site = Site::start_with(Setup {
        git_program: wrapper,
        ..Setup::default()
    })
    .await;
    assert_eq!(site.get(DEVICE_TOKEN, REFS).await, 200);
    let seen = fs::read_to_string(seen).unwrap();
    let names = seen
        .lines()
        .filter_map(|line| Some(line.split_once('=')?.0));
    let settings = ["GIT_CONFIG_KEY_", "GIT_CONFIG_VALUE_"];
    let mut names: Vec<_> = names
        .filter(|name| !settings.iter().any(|setting| name.starts_with(setting)))
        .collect();
    names.sort_unstable();
    // PWD, SHLVL and _ are the wrapper's shell's own.
    names.retain(|name| !["PWD", "OLDPWD", "SHLVL", "_"].contains(name));
    assert_eq!(
        names,
        [
            "GIT_ATTR_NOSYSTEM",
            "GIT_CONFIG_COUNT",
            "GIT_CONFIG_GLOBAL",
            "GIT_CONFIG_NOSYSTEM",
            "GIT_CONFIG_SYSTEM",
            "GIT_HTTP_EXPORT_ALL",
            "GIT_PROJECT_ROOT",
            "GIT_TERMINAL_PROMPT",
            "HOME",
            "LC_ALL",
            "PATH",
            "PATH_INFO",
            "QUERY_STRING",
            "REMOTE_ADDR",
            "REMOTE_USER",
            "REQUEST_METHOD",
            "XDG_CONFIG_HOME",
        ]
    );
    assert!(seen.contains("=http.receivepack\n") && seen.contains("REMOTE_USER=device\n"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_client_that_goes_away_takes_git_with_it() {
    let folder = tempfile::tempdir().unwrap();
    let (wrapper, id) = (folder.path().join("git"), folder.path().join("id"));
    // A grandchild too, as pack-objects would be.
    script(
        &wrapper,
        &format!(
            "sleep 600 &\necho $$ $! > '{}'\nexec git \"$@\"\n",
            id.display()
        ),
    );
    let site = Site::start_with(Setup {
        git_program: wrapper,
        ..Setup::default()
    })
    .await;
    let mut stream = site.connect().await;
    let body =
        "Content-Type: application/x-git-receive-pack-request\r\nContent-Length: 1000\r\n\r\n00";
    stream
        .write_all(
            format!(
                "POST /git/d-1.git/git-receive-pack {}{body}",
                head(ADMIN_TOKEN)
            )
            .as_bytes(),
        )
        .await
        .unwrap();
    let ids = eventually(|| {
        fs::read_to_string(&id)
            .ok()
            .filter(|text| text.ends_with('\n'))
    })
    .await;
    // A process that ended and was not yet waited for counts as gone.
    let alive = |id: &str| {
        fs::read_to_string(format!("/proc/{id}/stat")).is_ok_and(|stat| !stat.contains(") Z "))
    };
    assert!(ids.split_whitespace().all(alive));
    drop(stream);
    eventually(|| (!ids.split_whitespace().any(alive)).then_some(())).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn limits_are_answered_with_a_status() {
    let none = Limits {
        processes_per_repository: 0,
        ..Limits::DEFAULT
    };
    let site = Site::start_with(Setup {
        limits: none,
        ..Setup::default()
    })
    .await;
    assert_eq!(site.get(DEVICE_TOKEN, REFS).await, 503);

    let small = Limits {
        fetch_body: 100,
        time: Duration::from_millis(500),
        ..Limits::DEFAULT
    };
    let site = Site::start_with(Setup {
        limits: small,
        ..Setup::default()
    })
    .await;
    let post = |kind: &str, rest: &str| {
        format!(
            "POST /git/d-1.git/git-upload-pack {}Content-Type: {kind}\r\n{rest}",
            head(DEVICE_TOKEN)
        )
    };
    let fetch = "application/x-git-upload-pack-request";
    assert_eq!(
        site.raw(&post(fetch, "Content-Length: 101\r\n\r\n")).await,
        413
    );
    let long = "0".repeat(0x65);
    let chunked = format!("Transfer-Encoding: chunked\r\n\r\n65\r\n{long}\r\n0\r\n\r\n");
    assert_eq!(site.raw(&post(fetch, &chunked)).await, 413);
    assert_eq!(
        site.raw(&post("text/plain", "Content-Length: 4\r\n\r\n0000"))
            .await,
        415
    );
    assert_eq!(
        site.raw(&post(
            fetch,
            "Content-Encoding: br\r\nContent-Length: 4\r\n\r\n0000"
        ))
        .await,
        415
    );
    assert_eq!(
        site.raw(&post(
            fetch,
            "Content-Encoding: gzip\r\nContent-Length: 4\r\n\r\n0000"
        ))
        .await,
        400
    );
    assert_eq!(
        site.raw(&post(fetch, "Content-Length: 9\r\n\r\n")).await,
        408
    );

    let missing = Setup {
        git_program: "/nonexistent/git".into(),
        ..Setup::default()
    };
    let site = Site::start_with(missing).await;
    assert_eq!(site.get(DEVICE_TOKEN, REFS).await, 500);
    let said = site.state.last_error.lock().unwrap().clone().unwrap();
    assert!(
        said.contains("/nonexistent/git cannot be started: install git"),
        "{said}"
    );
}

async fn eventually<T>(mut check: impl FnMut() -> Option<T>) -> T {
    for _ in 0..200 {
        if let Some(found) = check() {
            return found;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    panic!("it did not come to pass in ten seconds")
}
