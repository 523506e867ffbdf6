//! The values that the strict policy permits for options that some values of which reach the host.

/// A variable with its value.
pub(super) fn is_assignment(value: &str) -> bool {
    value.contains('=')
}

/// The name of a variable to pass on; Podman takes a star for all that begin so.
pub(super) fn is_variable(value: &str) -> bool {
    !value.ends_with('*')
}

/// A label that says something to people only: containerd and nerdctl act on names with a slash (one of
/// them has a program started), Podman on those of `io.containers`.
pub(super) fn is_label(value: &str) -> bool {
    let (name, _) = value.split_once('=').unwrap_or((value, ""));
    !name.contains('/') && !name.starts_with("io.containers.")
}

/// A network by its name, but not the host's; neither `container:…` nor `ns:…`, nor options.
pub(super) fn is_network(value: &str) -> bool {
    is_name(value) && value != "host"
}

/// A namespace of the container's own.
pub(super) fn is_private(value: &str) -> bool {
    matches!(value, "private" | "none")
}

/// Fewer privileges, and nothing else.
pub(super) fn is_security(value: &str) -> bool {
    matches!(
        value,
        "no-new-privileges" | "no-new-privileges=true" | "no-new-privileges:true"
    )
}

/// A new volume (`/path`), or one by its name (`name:/path[:options]`); never a path of the host.
pub(super) fn is_volume(value: &str) -> bool {
    let mut parts = value.split(':');
    let (first, path, options) = (parts.next(), parts.next(), parts.next());
    let is_source = match (first, path) {
        (Some(path), None) => return is_path(path),
        (Some(name), Some(path)) => is_name(name) && is_path(path),
        (None, _) => false,
    };
    let is_option = |option| matches!(option, "ro" | "rw" | "nocopy" | "z" | "Z");
    is_source && options.is_none_or(|all| all.split(',').all(is_option)) && parts.next().is_none()
}

/// A volume by its name, a new one, or memory; never a path of the host.
pub(super) fn is_mount(value: &str) -> bool {
    // A quoted field could have commas.
    !value.contains('"') && value.split(',').all(is_mount_field)
}

fn is_mount_field(field: &str) -> bool {
    match field.split_once('=').unwrap_or((field, "")) {
        ("type", kind) => matches!(kind, "volume" | "tmpfs"),
        ("source" | "src", name) => is_name(name),
        ("target" | "destination" | "dst", path) => is_path(path),
        ("readonly" | "ro", set) => matches!(set, "" | "true" | "false"),
        ("tmpfs-size" | "tmpfs-mode", number) => number.bytes().all(|b| b.is_ascii_alphanumeric()),
        _ => false,
    }
}

fn is_path(text: &str) -> bool {
    text.starts_with('/')
}

/// `[A-Za-z0-9][A-Za-z0-9_.-]*`: what neither a path nor an option can be.
fn is_name(text: &str) -> bool {
    let mut bytes = text.bytes();
    bytes
        .next()
        .is_some_and(|first| first.is_ascii_alphanumeric())
        && bytes.all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'.' | b'-'))
}
