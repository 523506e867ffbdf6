/// How many values one field may hold before it is refused.
///
/// Reading allocates at most a few hundred bytes for each value counted here, none of which is
/// shorter than a byte of the text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Bounds {
    /// Members of a list or dictionary, repeated keys included.
    pub members: usize,
    /// Items of one inner list.
    pub items: usize,
    /// Parameters of one item or inner list, repeated keys included.
    pub parameters: usize,
}

impl Bounds {
    /// What RFC 9651 asks every reader to support, and no more: 1,024 members (§3.1, §3.2), 256
    /// items of an inner list (§3.1.1), 256 parameters (§3.1.2).
    pub const DEFAULT: Self = Self {
        members: 1024,
        items: 256,
        parameters: 256,
    };
}
