use super::*;
use crate::{Change, Damaged, Overlaid, Unsorted};

const IMAGE: &str = "registry.example/team/pump:1@sha256:0707070707070707070707070707070707070707070707070707070707070707";
const DIGEST: ImageDigest = ImageDigest::from_bytes([7; 32]);
const NONE: [ImageDigest; 0] = [];

fn image() -> PinnedImage<'static> {
    PinnedImage::parse(IMAGE).unwrap()
}

/// Of a list that says `entry` of the image.
fn ask(entry: Entry<'_>, by: impl FnOnce(Allowlist<'_>) -> Allowlist<'_>) -> Result<(), Why> {
    let changes = [Change {
        digest: DIGEST,
        entry: Some(entry),
    }];
    let listing = Overlaid::new(&NONE, &changes).unwrap();
    let permit = by(Allowlist::new(&listing)).permit(image());
    permit.map(|_| ()).map_err(|denied| denied.why)
}

fn entry(change: impl FnOnce(&mut Entry<'static>)) -> Entry<'static> {
    let mut entry = Entry::default();
    change(&mut entry);
    entry
}

#[test]
fn only_what_is_listed_is_permitted() {
    let why = |list: Allowlist<'_>| list.permit(image()).map(|_| ()).map_err(|d| d.why);
    assert_eq!(why(Allowlist::EMPTY), Err(Why::NoList));
    assert_eq!(why(Allowlist::new(&NONE)), Err(Why::NotListed));
    let others = [[6; 32], [8; 32]].map(ImageDigest::from_bytes);
    assert_eq!(why(Allowlist::new(&others)), Err(Why::NotListed));
    assert_eq!(why(Allowlist::new(&[DIGEST])), Ok(()));
}

#[test]
fn a_permit_says_what_it_is_for() {
    let list = [DIGEST];
    let permit = Allowlist::new(&list).permit(image()).unwrap();
    assert_eq!(permit.digest(), &DIGEST);
    assert_eq!(permit.image(), &image());
    assert_eq!(permit.entry(), Some(&Entry::default()));
    assert_eq!(permit.mode(), Mode::Enforce);
    assert_eq!(permit.would_be_denied(), None);
    assert_eq!(permit.to_string(), format!("{IMAGE} may run"));
}

#[test]
fn an_entry_counts_from_its_first_moment_to_its_last() {
    let entry = entry(|entry| (entry.not_before, entry.expires) = (Some(100), Some(200)));
    for (now, expected) in [
        (99, Err(Why::NotYet { from: 100 })),
        (100, Ok(())),
        (199, Ok(())),
        (200, Err(Why::Expired { at: 200 })),
    ] {
        assert_eq!(ask(entry, |list| list.at(now)), expected, "{now}");
    }
}

#[test]
fn without_a_clock_what_ends_or_begins_is_denied() {
    let ends = entry(|entry| entry.expires = Some(u64::MAX));
    let begins = entry(|entry| entry.not_before = Some(0));
    for entry in [ends, begins] {
        assert_eq!(ask(entry, |list| list), Err(Why::NoClock));
        assert_eq!(ask(entry, |list| list.at(5)), Ok(()));
    }
}

#[test]
fn an_entry_of_a_tenant_counts_for_it_alone() {
    let of_a = entry(|entry| entry.tenant = Some("a"));
    assert_eq!(ask(of_a, |list| list), Err(Why::OtherTenant));
    let in_b = ask(of_a, |list| list.in_tenant("b"));
    assert_eq!(in_b, Err(Why::OtherTenant));
    assert_eq!(ask(of_a, |list| list.in_tenant("a")), Ok(()));
    let of_all = Entry::default();
    assert_eq!(ask(of_all, |list| list.in_tenant("b")), Ok(()));
}

#[test]
fn an_entry_of_a_repository_counts_under_that_name_alone() {
    let of = |name| entry(|entry| entry.repository = Some(name));
    let found = ask(of("registry.example/team/pump"), |list| list);
    assert_eq!(found, Ok(()));
    for other in [
        "team/pump",
        "registry.example/team",
        "registry.example/team/pump:1",
    ] {
        assert_eq!(ask(of(other), |list| list), Err(Why::OtherRepository));
    }
}

#[test]
fn audit_mode_permits_and_says_so() {
    let audit = |list: Allowlist<'_>| {
        list.mode("audit".parse().unwrap())
            .permit(image())
            .unwrap()
            .to_string()
    };
    let found = audit(Allowlist::EMPTY);
    let expected =
        format!("AUDIT MODE: {IMAGE} would be denied: {DIGEST} is denied, as there is no list");
    assert_eq!(found, expected);
    let found = audit(Allowlist::new(&[DIGEST]));
    assert_eq!(found, format!("AUDIT MODE: {IMAGE} may run"));
    let list = Allowlist::EMPTY.mode(Mode::Audit);
    let permit = list.permit(image()).unwrap();
    assert_eq!(permit.would_be_denied().unwrap().code(), "no-list");
    for mode in [Mode::Audit, Mode::Enforce] {
        assert_eq!(mode.name().parse(), Ok(mode));
    }
    assert_eq!("Audit".parse::<Mode>(), Err(UnknownMode));
}

#[test]
fn a_list_that_is_printed_says_how_it_is_asked() {
    let list = Allowlist::EMPTY.at(5).in_tenant("a").mode(Mode::Audit);
    let said = format!("{list:?}");
    assert_eq!(
        said,
        r#"Allowlist { tenant: Some("a"), now: Some(5), mode: Audit, .. }"#
    );
}

#[test]
fn a_damaged_list_permits_nothing() {
    struct Broken;
    impl Listing for Broken {
        fn find(&self, _: &ImageDigest) -> Result<Option<Entry<'_>>, Damaged> {
            Err(Damaged { at: 4096 })
        }
    }
    let denied = Allowlist::new(&Broken).permit(image()).unwrap_err();
    assert_eq!(denied.code(), "damaged");
    let said = denied.to_string();
    assert_eq!(
        said,
        format!("{DIGEST} cannot be looked up: the list is damaged at byte 4096")
    );
}

#[test]
fn changes_decide() {
    let base = [6, 7].map(|byte| ImageDigest::from_bytes([byte; 32]));
    let change = |byte, entry| Change {
        digest: ImageDigest::from_bytes([byte; 32]),
        entry,
    };
    let changes = [change(5, Some(Entry::default())), change(7, None)];
    let listing = Overlaid::new(&base, &changes).unwrap();
    let has = |byte| {
        listing
            .find(&ImageDigest::from_bytes([byte; 32]))
            .unwrap()
            .is_some()
    };
    assert_eq!([4, 5, 6, 7, 8].map(has), [false, true, true, false, false]);
    for bad in [
        [change(7, None), change(5, None)],
        [change(5, None), change(5, None)],
    ] {
        assert_eq!(Overlaid::new(&base, &bad).unwrap_err(), Unsorted { at: 1 });
    }
}
