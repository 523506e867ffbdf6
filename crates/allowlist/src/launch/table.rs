//! The options of `docker`, `podman` and `nerdctl`, from what their sources register: docker/cli 18.09 to
//! 29.7, podman 2.0 to 5.8, nerdctl 0.20 to 2.3. None of them ever takes a value in one program or
//! version and none in another, so one table is right for all three, and for Podman under Docker's name.
//! A program that does not know an option starts nothing.

use super::strict::{is_label, is_mount, is_network, is_private, is_security, is_volume};

/// Whether a value follows where none is attached with `=`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Takes {
    Nothing,
    Value,
}

/// What a policy says of an option.
#[derive(Clone, Copy)]
pub(super) enum Rule {
    /// Permitted by every policy: it gives the container nothing of the host.
    Free,
    /// Permitted by the strict policy with some values.
    If(fn(&str) -> bool),
    /// A variable of the container. Without a value it is that of who starts the program, which the strict
    /// policy leaves to callers whose own environment that is.
    Variable,
    /// Not permitted by the strict policy.
    Never,
    /// Permitted by none: what follows the options is no image then.
    NotAnImage,
}

/// Options of one kind: their long names, with blanks between them.
type Group = (Takes, Rule, &'static str);

/// Where options stand.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Place {
    /// Before the command.
    Global,
    /// After it, where some programs take the global ones, too.
    Run,
}

impl Place {
    pub(super) fn option(self, name: &str) -> Option<(Takes, Rule)> {
        let groups = match self {
            Self::Global => GLOBAL,
            Self::Run => RUN,
        };
        let group = groups
            .iter()
            .find(|(_, _, names)| names.split(' ').any(|of| of == name));
        match (group, self) {
            (Some((takes, rule, _)), _) => Some((*takes, *rule)),
            (None, Self::Run) => Self::Global.option(name),
            (None, Self::Global) => None,
        }
    }

    /// The long name of a short option.
    pub(super) fn long_name(self, letter: char) -> Option<&'static str> {
        let shorts = match self {
            Self::Global => GLOBAL_SHORTS,
            Self::Run => SHORTS,
        };
        match (shorts.iter().find(|(short, _)| *short == letter), self) {
            (Some((_, name)), _) => Some(name),
            (None, Self::Run) => Self::Global.long_name(letter),
            (None, Self::Global) => None,
        }
    }
}

/// All that are known in one place alone.
#[cfg(test)]
pub(super) fn names(place: Place) -> impl Iterator<Item = &'static str> {
    let groups = match place {
        Place::Global => GLOBAL,
        Place::Run => RUN,
    };
    groups.iter().flat_map(|(_, _, names)| names.split(' '))
}

const SHORTS: &[(char, &str)] = &[
    ('a', "attach"),
    ('c', "cpu-shares"),
    ('d', "detach"),
    ('e', "env"),
    ('h', "hostname"),
    ('i', "interactive"),
    ('l', "label"),
    ('m', "memory"),
    ('p', "publish"),
    ('P', "publish-all"),
    ('q', "quiet"),
    ('t', "tty"),
    ('u', "user"),
    ('v', "volume"),
    ('w', "workdir"),
];

const GLOBAL_SHORTS: &[(char, &str)] = &[
    ('a', "address"),
    ('c', "context"),
    ('D', "debug"),
    ('H', "host"),
    ('l', "log-level"),
    ('n', "namespace"),
    ('r', "remote"),
];

/// Nearly all of them choose another host, store or configuration.
#[rustfmt::skip]
const GLOBAL: &[Group] = &[
    (Takes::Nothing, Rule::Free,
        "debug debug-full"),
    (Takes::Value, Rule::Free,
        "log-level"),
    (Takes::Nothing, Rule::Never,
        "experimental insecure-registry kube-hide-dupe noout remote selinux-enabled syslog tls \
          tlsverify trace transient-store"),
    (Takes::Value, Rule::Never,
        "address bridge-ip cdi-spec-dir cdi-spec-dirs cgroup-manager cni-config-dir \
          cni-netconfpath cni-path config conmon connection context cpu-profile data-root \
          db-backend default-mounts-file events-backend hooks-dir host host-gateway-ip hosts-dir \
          identity imagestore max-workers memory-profile module namespace network-backend \
          network-cmd-path network-config-dir out pull-option registries-conf root runroot runtime \
          runtime-flag snapshotter ssh storage-driver storage-opt tls-ca tls-cert tls-details \
          tls-key tlscacert tlscert tlskey tmpdir url userns-remap volumepath"),
];

#[rustfmt::skip]
const RUN: &[Group] = &[
    (Takes::Nothing, Rule::Free,
        "detach init interactive no-healthcheck no-hostname no-hosts publish-all quiet read-only \
          read-only-tmpfs rm rmi sig-proxy tty unsetenv-all"),
    (Takes::Value, Rule::Free,
        "add-host arch attach blkio-weight cap-drop cpu-period cpu-quota cpu-shares cpus \
          cpuset-cpus cpuset-mems detach-keys dns dns-opt dns-option dns-search domainname \
          env-merge expose health-cmd health-interval health-on-failure health-retries \
          health-start-interval health-start-period health-startup-cmd health-startup-interval \
          health-startup-retries health-startup-success health-startup-timeout health-timeout \
          healthcheck-command healthcheck-interval healthcheck-retries healthcheck-start-period \
          healthcheck-timeout hostname ip ip6 mac-address memory memory-reservation \
          memory-swap memory-swappiness name net-alias network-alias os override-arch override-os \
          override-variant pids-limit platform publish pull restart retry retry-delay shm-size \
          shm-size-systemd stop-signal stop-timeout timeout tmpfs tz ulimit umask unsetenv user \
          variant workdir"),
    (Takes::Value, Rule::If(is_private),
        "cgroupns ipc pid"),
    (Takes::Value, Rule::Variable,
        "env"),
    (Takes::Value, Rule::If(is_label),
        "label"),
    (Takes::Value, Rule::If(is_mount),
        "mount"),
    (Takes::Value, Rule::If(is_network),
        "net network"),
    (Takes::Value, Rule::If(is_security),
        "security-opt"),
    (Takes::Value, Rule::If(is_volume),
        "volume"),
    (Takes::Nothing, Rule::Never,
        "disable-content-trust env-host http-proxy oom-kill-disable passwd privileged replace \
          tls-verify use-api-socket"),
    (Takes::Value, Rule::Never,
        "annotation authfile blkio-weight-device cap-add cert-dir cgroup-conf cgroup-parent \
          cgroups chrootdirs cidfile conmon-pidfile cosign-certificate-identity \
          cosign-certificate-identity-regexp cosign-certificate-oidc-issuer \
          cosign-certificate-oidc-issuer-regexp cosign-key cpu-count cpu-percent cpu-rt-period \
          cpu-rt-runtime creds decryption-key device device-cgroup-rule device-read-bps \
          device-read-iops device-write-bps device-write-iops entrypoint env-file gidmap gpus \
          group-add group-entry health-log-destination health-max-log-count health-max-log-size \
          hosts-file hostuser image-volume init-binary init-ctr init-path io-maxbandwidth \
          io-maxiops ipfs-address isolation kernel-memory label-file link link-local-ip log-driver \
          log-opt oom-score-adj passwd-entry personality pidfile pod pod-id-file preserve-fd \
          preserve-fds rdt-class requires runtime sdnotify seccomp-policy secret signature-policy \
          storage-opt subgidname subuidname sysctl systemd uidmap userns uts verify volume-driver \
          volumes-from"),
    (Takes::Nothing, Rule::NotAnImage,
        "rootfs"),
];
