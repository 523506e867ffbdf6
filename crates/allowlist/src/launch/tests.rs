use super::*;
use crate::ImageDigest;

const IMAGE: &str =
    "team/pump:1@sha256:0707070707070707070707070707070707070707070707070707070707070707";
const OTHER: &str = "evil@sha256:0606060606060606060606060606060606060606060606060606060606060606";

/// The line, split at blanks; `I` is the image and `O` another one.
fn parse(line: &str, policy: OptionPolicy) -> Result<(usize, String), (&'static str, String)> {
    let arguments: Vec<&str> = line
        .split(' ')
        .map(|argument| match argument {
            "I" => IMAGE,
            "O" => OTHER,
            other => other,
        })
        .collect();
    match Launch::parse(&arguments, policy) {
        Ok(launch) => Ok((launch.image_at(), launch.image().to_string())),
        Err(fault) => Err((fault.code(), fault.to_string())),
    }
}

fn compat(line: &str) -> Result<usize, &'static str> {
    let found = parse(line, OptionPolicy::Compat).map_err(|(code, _)| code)?;
    assert_eq!(found.1, IMAGE, "{line}");
    Ok(found.0)
}

#[test]
fn the_image_is_found_among_the_options() {
    for (line, at) in [
        ("docker run I", 2),
        ("podman create I", 2),
        ("nerdctl container run I", 3),
        ("/usr/bin/docker run I sh -c O", 2),
        (
            "docker -D --host tcp://h:1 -l=debug --log-level=info run I",
            7,
        ),
        ("docker --host=x -Hx run I", 4),
        ("docker run --name O I O", 4),
        ("docker run --name=O I", 3),
        ("docker run -e O I", 4),
        ("docker run -eO -e=O I", 4),
        ("docker run -itv a:b I", 4),
        ("docker run -itva:b --rm I", 4),
        ("docker run -itv=a:b I", 3),
        ("docker run -it=false I", 3),
        ("docker run --rm=false -d=true I", 4),
        ("docker run --volume -x I", 4),
        ("docker run -v -- I", 4),
        ("docker run -- I", 3),
        ("docker run -p 80:80 -- I --privileged", 5),
        ("podman run --log-level debug I", 4),
        ("podman --url x run --env-merge O --rmi I", 7),
        ("nerdctl -n k8s.io run --verify cosign I", 6),
    ] {
        assert_eq!(compat(line), Ok(at), "{line}");
    }
}

#[test]
fn what_could_be_read_in_two_ways_is_refused() {
    for (line, code) in [
        ("", "program"),
        ("sh -c O", "program"),
        ("./docker run I", "program"),
        ("bin/docker run I", "program"),
        ("/tmp/dockerd run I", "program"),
        ("docker", "verb"),
        ("docker pull I", "verb"),
        ("docker container", "verb"),
        ("docker container exec I", "verb"),
        ("docker I", "verb"),
        ("docker run", "no-image"),
        ("docker run --rm", "no-image"),
        ("docker run --", "no-image"),
        ("docker run --name I", "no-image"),
        ("docker run --name", "malformed"),
        ("docker run -itv", "malformed"),
        ("docker run --unheard-of I", "unknown-option"),
        ("docker run --unheard-of=1 I", "unknown-option"),
        ("docker run --help I", "unknown-option"),
        ("docker run --nam x I", "unknown-option"),
        ("docker run --Name x I", "unknown-option"),
        ("docker run -ixt I", "unknown-option"),
        ("docker run -i= I", "unknown-option"),
        ("docker run -é I", "unknown-option"),
        ("docker run ---rm I", "malformed"),
        ("docker run --=x I", "malformed"),
        ("docker -- run I", "malformed"),
        ("docker --host -D run I", "malformed"),
        ("docker -Dl debug run I", "malformed"),
        ("docker --rm run I", "unknown-option"),
        ("docker run - I", "malformed"),
        ("docker run  I", "malformed"),
        ("docker run pump I", "no-digest"),
        ("docker run pump:latest", "no-digest"),
        ("docker run -- --rm I", "malformed"),
        ("docker run team/pump@sha256:07", "malformed"),
        ("podman run --rootfs I", "run-option"),
        ("podman run --rootfs=false I", "run-option"),
    ] {
        let found = parse(line, OptionPolicy::Compat).map_err(|(code, _)| code);
        assert_eq!(found, Err(code), "{line}");
    }
}

#[test]
fn files_that_podman_would_run_are_refused() {
    let digest = "@sha256:0707070707070707070707070707070707070707070707070707070707070707";
    for transport in TRANSPORTS {
        for local in ["x", "8080/app", "8080/app:1"] {
            let image = format!("{transport}:{local}{digest}");
            let found = parse(&format!("podman run {image}"), OptionPolicy::Compat);
            assert_eq!(found.map_err(|(code, _)| code), Err("not-from-registry"));
        }
        let image = format!("{transport}{digest}");
        assert!(parse(&format!("podman run {image}"), OptionPolicy::Compat).is_ok());
    }
}

#[test]
fn strict_permits_what_keeps_to_the_container() {
    for options in [
        "--rm -dit --name a -e A=b -e A -l a=b/c -h a -u 1000 -w /a",
        "-m 64m --cpus=1 --pids-limit 9 --read-only --tmpfs /tmp --cap-drop ALL",
        "-p 127.0.0.1:80:80 --network my-net --net none --restart=always",
        "-v data:/data -v data:/data:ro -v /new --mount type=volume,src=data,dst=/data,ro",
        "--mount type=tmpfs,target=/tmp,tmpfs-size=64m --security-opt no-new-privileges --ipc none",
        "--log-level debug --pull always --platform linux/arm64",
    ] {
        let line = format!("docker run {options} I sh");
        assert!(parse(&line, OptionPolicy::Strict).is_ok(), "{line}");
    }
}

#[test]
fn strict_names_the_option_that_reaches_the_host() {
    for (option, name) in [
        ("--privileged", "privileged"),
        ("--privileged=false", "privileged"),
        ("-v /:/host", "volume"),
        ("-v/:/host", "volume"),
        ("-itv=/:/host", "volume"),
        ("--volume=/var/run/docker.sock:/s", "volume"),
        ("-v ./a:/a", "volume"),
        ("-v ~:/a", "volume"),
        ("-v ../a:/a", "volume"),
        ("-v a:/b:O,upperdir=/etc", "volume"),
        ("-v a:/b:ro:/", "volume"),
        ("-v a:b", "volume"),
        ("--mount type=bind,src=/,dst=/host", "mount"),
        ("--mount dst=/a,volume-opt=device=/", "mount"),
        ("--mount \"type=bind\",src=/,dst=/a", "mount"),
        ("--mount Type=bind,src=a,dst=/a", "mount"),
        ("--mount type=volume,src=/etc,dst=/a", "mount"),
        ("--network=host", "network"),
        ("--net host", "net"),
        ("--network container:a", "network"),
        ("--network ns:/proc/1/ns/net", "network"),
        ("--network name=host", "network"),
        ("--network a,host", "network"),
        ("--pid=host", "pid"),
        ("--pid container:a", "pid"),
        ("--ipc host", "ipc"),
        ("--uts=host", "uts"),
        ("--userns=host", "userns"),
        ("--cgroupns host", "cgroupns"),
        ("--cap-add SYS_ADMIN", "cap-add"),
        ("--device /dev/sda", "device"),
        ("--gpus all", "gpus"),
        ("--security-opt seccomp=unconfined", "security-opt"),
        ("--security-opt no-new-privileges:false", "security-opt"),
        ("--entrypoint sh", "entrypoint"),
        ("--env-file /etc/shadow", "env-file"),
        ("-e *", "env"),
        ("-l containerd.io/restart.loguri=binary:///bin/sh", "label"),
        ("--label=nerdctl/x=", "label"),
        ("--label io.containers.autoupdate=registry", "label"),
        ("--cidfile /etc/x", "cidfile"),
        ("--volumes-from a", "volumes-from"),
        ("--use-api-socket", "use-api-socket"),
        ("--runtime x", "runtime"),
        ("--log-driver syslog", "log-driver"),
        ("--url tcp://h", "url"),
    ] {
        let line = format!("docker run {option} I");
        let (code, said) = parse(&line, OptionPolicy::Strict).unwrap_err();
        assert_eq!(code, "run-option", "{line}");
        assert_eq!(
            said,
            format!("argument 2 has the option {name:?}, which is not permitted")
        );
    }
    for global in [
        "-H tcp://h:1",
        "--host=x",
        "--context x",
        "--config /x",
        "--root /x",
    ] {
        let found = parse(&format!("docker {global} run I"), OptionPolicy::Strict);
        assert_eq!(found.unwrap_err().0, "run-option", "{global}");
    }
}

#[test]
fn an_exec_cmd_ends_with_the_image() {
    let parse = |arguments: &[&str]| {
        let launch = Launch::parse_exec_cmd(arguments, OptionPolicy::Compat);
        launch
            .map(|launch| launch.image_at())
            .map_err(|fault| fault.code())
    };
    assert_eq!(parse(&["docker", "run", "-e", "A", IMAGE]), Ok(4));
    assert_eq!(
        parse(&["docker", "run", IMAGE, "sh"]),
        Err("unexpected-argument")
    );
    assert_eq!(parse(&["docker", "run", "sh", IMAGE]), Err("no-digest"));
    assert_eq!(
        parse(&["docker", "run", OTHER, IMAGE]),
        Err("unexpected-argument")
    );
    assert_eq!(parse(&["/usr/bin/docker", "run", IMAGE]), Err("program"));
    assert_eq!(parse(&[]), Err("program"));
}

#[test]
fn an_exec_cmd_names_no_variable_of_who_starts_it() {
    let parse = |options: &str, policy| {
        let line = format!("docker run {options} {IMAGE}");
        let arguments: Vec<&str> = line.split(' ').collect();
        let launch = Launch::parse_exec_cmd(&arguments, policy);
        launch.map(|_| ()).map_err(|fault| fault.code())
    };
    for options in [
        "-e A",
        "-eA",
        "-ite A",
        "--env A",
        "--env=A",
        "-e A=b -e A",
        "-e A*",
    ] {
        assert_eq!(
            parse(options, OptionPolicy::Strict),
            Err("run-option"),
            "{options}"
        );
        assert_eq!(parse(options, OptionPolicy::Compat), Ok(()), "{options}");
    }
    for options in [
        "-e A=b",
        "-e A=",
        "-eA=b=c",
        "-e=A=b",
        "--env A=b",
        "--env=A=*",
    ] {
        assert_eq!(parse(options, OptionPolicy::Strict), Ok(()), "{options}");
    }
}

#[test]
fn what_was_checked_is_what_is_permitted() {
    let list = [ImageDigest::from_bytes([7; 32])];
    let list = Allowlist::new(&list);
    let arguments = ["docker", "run", "--rm", IMAGE, "sh"];
    let launch = Launch::parse(&arguments, OptionPolicy::Strict).unwrap();
    let permitted = launch.permit(&list).unwrap();
    assert!(core::ptr::eq(permitted.arguments(), arguments.as_slice()));
    assert_eq!(permitted.permit().image().to_string(), IMAGE);
    assert_eq!(permitted.to_string(), format!("{IMAGE} may run"));
    let other = ["docker", "run", OTHER];
    let launch = Launch::parse(&other, OptionPolicy::Strict).unwrap();
    assert_eq!(launch.permit(&list).unwrap_err().code(), "not-listed");
}

#[test]
fn the_table_has_each_option_once() {
    let mut names: Vec<&str> = table::names(Place::Run).collect();
    assert!(names.len() >= 185, "{}", names.len());
    for name in names.iter().copied().chain(table::names(Place::Global)) {
        let fits = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
        assert!(
            name.bytes().all(fits) && !name.ends_with('-') && name.len() > 1,
            "{name:?}"
        );
    }
    let all = names.len();
    names.sort_unstable();
    names.dedup();
    assert_eq!(names.len(), all);
    // Of the options that stand in both places, a program or its version could mean either.
    for name in names {
        let (Some((of_run, _)), Some((global, _))) =
            (Place::Run.option(name), Place::Global.option(name))
        else {
            continue;
        };
        assert_eq!(of_run, global, "{name}");
    }
    for letter in ('a'..='z').chain('A'..='Z') {
        for place in [Place::Global, Place::Run] {
            let name = place.long_name(letter);
            assert!(
                name.is_none_or(|name| place.option(name).is_some()),
                "{letter}"
            );
        }
    }
}
