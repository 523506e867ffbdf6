use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use gangplank_testkit::{Leaf, NOW, TestCa, self_signed};
use rustls_pki_types::CertificateDer;
use serde_json::{Value, json};

use super::*;
use crate::{Alias, Reason, TenantDocument, TenantLookup, Validity};

fn tenant(id: &str, anchors: Vec<Anchor>) -> Tenant {
    let mut tenant = Tenant::new(TenantId::parse(id).unwrap());
    tenant.anchors = anchors;
    tenant
}

fn of(ca: &TestCa) -> Anchor {
    Anchor::from_certificate("a", ca.certificate.clone()).unwrap()
}

/// The key id in an authority's certificate.
fn id_of(ca: &TestCa) -> Vec<u8> {
    key_id(&of(ca)).unwrap()
}

/// A leaf that says by which key it is signed.
fn pump(key_id: &[u8]) -> Leaf {
    let length = u8::try_from(key_id.len()).unwrap();
    let authority = [&[0x30, length + 2, 0x80, length][..], key_id].concat();
    Leaf::new("pump").extension(&[2, 5, 29, 35], false, authority)
}

fn index(tenants: impl IntoIterator<Item = Tenant>) -> TenantIndex {
    let mut index = TenantIndex::default();
    tenants
        .into_iter()
        .for_each(|tenant| drop(index.insert(tenant)));
    index
}

fn found(
    index: &TenantIndex,
    chain: &[&CertificateDer<'static>],
    hint: TenantHint<'_>,
) -> Result<(String, FoundBy), TenantNotFound> {
    let chain: Vec<_> = chain.iter().map(|found| (*found).clone()).collect();
    let found = index.candidates(&chain, hint)?;
    Ok((found.tenant.id.to_string(), found.by))
}

fn named(id: &str, by: FoundBy) -> Result<(String, FoundBy), TenantNotFound> {
    Ok((id.to_string(), by))
}

const LEAF: FoundBy = FoundBy::Issuer { position: 0 };

#[test]
fn issuers_lead_to_tenants() {
    let (one, other) = (TestCa::new("One"), TestCa::new("Other"));
    let index = index([tenant("t1", vec![of(&one)]), tenant("t2", vec![of(&other)])]);
    let leaf = other.issue(&Leaf::new("pump")).certificate;
    assert_eq!(found(&index, &[&leaf], TenantHint::None), named("t2", LEAF));
    // One tenant is found: a hint is not needed, nor looked at.
    assert_eq!(
        found(&index, &[&leaf], TenantHint::HostName("x")),
        named("t2", LEAF)
    );
    let stranger = TestCa::new("Third").issue(&Leaf::new("pump")).certificate;
    assert_eq!(
        found(&index, &[&stranger], TenantHint::None),
        Err(TenantNotFound::Unknown)
    );
    assert_eq!(
        found(&index, &[], TenantHint::None),
        Err(TenantNotFound::Unknown)
    );
    let hint = TenantHint::Name("t1");
    assert_eq!(
        found(&index, &[&stranger], hint),
        named("t1", FoundBy::Hint)
    );
}

#[test]
fn the_first_issuer_from_the_leaf_up_counts() {
    let (root, other) = (TestCa::new("Root"), TestCa::new("Other"));
    let middle = root.intermediate(&Leaf::new("Middle"));
    let leaf = middle.issue(&Leaf::new("pump")).certificate;
    let by_root = index([tenant("t", vec![of(&root)]), tenant("o", vec![of(&other)])]);
    let second = FoundBy::Issuer { position: 1 };
    let chain = [&leaf, &middle.certificate];
    assert_eq!(
        found(&by_root, &chain, TenantHint::None),
        named("t", second)
    );
    assert_eq!(
        found(&by_root, &chain[..1], TenantHint::None),
        Err(TenantNotFound::Unknown)
    );
    // Bytes that are no certificate are passed over.
    let junk = CertificateDer::from(vec![0x30, 0x03, 0x30, 0x01, 0x02]);
    let chain = [&leaf, &junk, &middle.certificate];
    let third = FoundBy::Issuer { position: 2 };
    assert_eq!(found(&by_root, &chain, TenantHint::None), named("t", third));
    let by_both = index([tenant("t", vec![of(&root)]), tenant("m", vec![of(&middle)])]);
    assert_eq!(found(&by_both, &chain, TenantHint::None), named("m", LEAF));
}

#[test]
fn a_leaf_that_is_an_anchor_leads_to_its_tenant() {
    let ca = TestCa::new("Root");
    let pump = ca.issue(&Leaf::new("pump")).certificate;
    let pin = Anchor::from_certificate("pin", pump.clone()).unwrap();
    let both = index([tenant("ca", vec![of(&ca)]), tenant("pin", vec![pin])]);
    assert_eq!(
        found(&both, &[&pump], TenantHint::None),
        named("pin", FoundBy::Pin)
    );
    let other = ca.issue(&Leaf::new("pump")).certificate;
    assert_eq!(found(&both, &[&other], TenantHint::None), named("ca", LEAF));
    let alone = self_signed(&Leaf::new("valve")).certificate;
    let pin = |id| {
        tenant(
            id,
            vec![Anchor::from_certificate("a", alone.clone()).unwrap()],
        )
    };
    let twice = index([pin("t1"), pin("t2")]);
    assert_eq!(
        found(&twice, &[&alone], TenantHint::None),
        Err(TenantNotFound::Ambiguous)
    );
    let hint = TenantHint::Name("t2");
    assert_eq!(found(&twice, &[&alone], hint), named("t2", FoundBy::Hint));
}

#[test]
fn several_tenants_are_told_apart_by_hint_and_then_by_key() {
    let (one, other) = (TestCa::new("Root"), TestCa::new("Root"));
    let mut second = tenant("t2", vec![of(&other)]);
    second.alias = Some(Alias::parse("second").unwrap());
    let index = index([tenant("t1", vec![of(&one)]), second]);
    let of_other = other.issue(&pump(&id_of(&other))).certificate;
    assert_eq!(
        found(&index, &[&of_other], TenantHint::None),
        named("t2", LEAF)
    );
    for (hint, id) in [
        (TenantHint::HostName("t1.plant.example"), "t1"),
        (TenantHint::HostName("T2.example"), "t2"),
        (TenantHint::HostName("SECOND.example"), "t2"),
        (TenantHint::Name("second"), "t2"),
    ] {
        assert_eq!(
            found(&index, &[&of_other], hint),
            named(id, FoundBy::Hint),
            "{hint:?}"
        );
    }
    for hint in [
        TenantHint::HostName("third.example"),
        TenantHint::Name("t1.example"),
        TenantHint::Name("SECOND"),
        TenantHint::Name(""),
    ] {
        assert_eq!(
            found(&index, &[&of_other], hint),
            Err(TenantNotFound::Unknown),
            "{hint:?}"
        );
    }
    for host in ["", "t1", ".example", "t1."] {
        let hint = host.to_string();
        let expected = Err(TenantNotFound::HintMalformed { hint });
        assert_eq!(
            found(&index, &[&of_other], TenantHint::HostName(host)),
            expected
        );
    }
}

#[test]
fn key_ids_never_exclude_what_may_have_signed() {
    let (one, other) = (TestCa::new("Root"), TestCa::new("Root"));
    let whole = index([tenant("t1", vec![of(&one)]), tenant("t2", vec![of(&other)])]);
    let ambiguous = Err(TenantNotFound::Ambiguous);
    // It says nothing, or something that no anchor is.
    let mute = other.issue(&Leaf::new("pump")).certificate;
    assert_eq!(found(&whole, &[&mute], TenantHint::None), ambiguous);
    let elsewhere = other.issue(&pump(b"elsewhere")).certificate;
    assert_eq!(found(&whole, &[&elsewhere], TenantHint::None), ambiguous);
    // A bare anchor has no key id that anybody could know.
    let validity = Validity::new(NOW, NOW).unwrap();
    let bare = Anchor::bare(
        "b",
        of(&other).name().clone(),
        of(&other).spki().to_vec(),
        validity,
    );
    let with_bare = index([
        tenant("t1", vec![of(&one)]),
        tenant("t2", vec![bare.unwrap()]),
    ]);
    let of_other = other.issue(&pump(&id_of(&other))).certificate;
    assert_eq!(
        found(&with_bare, &[&of_other], TenantHint::None),
        named("t2", LEAF)
    );
    let of_one = one.issue(&pump(&id_of(&one))).certificate;
    assert_eq!(found(&with_bare, &[&of_one], TenantHint::None), ambiguous);
}

#[test]
fn roll_over_keys_of_one_tenant_are_one_tenant() {
    let (old, new) = (TestCa::new("Root"), TestCa::new("Root"));
    let index = index([tenant("t", vec![of(&old), of(&new)])]);
    let leaf = new.issue(&Leaf::new("pump")).certificate;
    assert_eq!(found(&index, &[&leaf], TenantHint::None), named("t", LEAF));
}

#[test]
fn what_was_replaced_or_removed_is_not_found() {
    let (old, new) = (TestCa::new("Old"), TestCa::new("New"));
    let mut index = index([]);
    let mut first = tenant("t", vec![of(&old), of(&old)]);
    first.alias = Some(Alias::parse("a").unwrap());
    assert!(index.insert(first).is_none());
    let former = index.insert(tenant("t", vec![of(&new)])).unwrap();
    assert_eq!(former.anchors.len(), 2);
    let of_old = old.issue(&Leaf::new("pump")).certificate;
    assert_eq!(
        found(&index, &[&of_old], TenantHint::None),
        Err(TenantNotFound::Unknown)
    );
    assert!(index.by_name("a").is_err());
    assert!(index.by_name("t").is_ok());
    let id = TenantId::parse("t").unwrap();
    assert_eq!(index.tenants().count(), 1);
    assert!(index.get(&id).is_some() && index.remove(&id).is_some());
    assert!(index.get(&id).is_none() && index.remove(&id).is_none());
    assert!(index.names.is_empty() && index.keys.is_empty() && index.pins.is_empty());
    assert!(index.aliases.is_empty());
}

#[test]
fn a_name_is_found_as_anybody_writes_it() {
    let (one, other) = (TestCa::new("Root"), TestCa::new("ROOT"));
    let leaves = [&one, &other].map(|ca| ca.issue(&Leaf::new("pump")).certificate);
    let third = TestCa::new("root").issue(&Leaf::new("pump")).certificate;
    let [by_one, by_other] = &leaves;
    let mut index = index([tenant("t", vec![of(&one), of(&other)])]);
    for leaf in [by_one, by_other, &third] {
        assert_eq!(found(&index, &[leaf], TenantHint::None), named("t", LEAF));
    }
    // What is left of them is still found by all three.
    index.insert(tenant("t", vec![of(&other)]));
    index.insert(tenant("u", vec![of(&TestCa::new("Another"))]));
    for leaf in [by_one, by_other, &third] {
        assert_eq!(found(&index, &[leaf], TenantHint::None), named("t", LEAF));
    }
    index.remove(&TenantId::parse("t").unwrap());
    for leaf in [by_one, by_other, &third] {
        assert_eq!(
            found(&index, &[leaf], TenantHint::None),
            Err(TenantNotFound::Unknown)
        );
    }
}

proptest::proptest! {
    /// Whatever comes and goes, each tenant is found by the names that it has now, and by no others.
    #[test]
    fn it_says_what_a_walk_over_all_tenants_says(
        steps in proptest::collection::vec((0..4usize, proptest::collection::vec(0..6usize, 0..3)), 1..12),
    ) {
        let names = ["CN=a", "CN=A", "CN=b", "CN= B", "CN=c", "O=c"];
        let parsed = names.map(|name| DistinguishedName::parse(name).unwrap());
        let key = of(&TestCa::new("Any")).spki().to_vec();
        let validity = Validity::new(NOW, NOW).unwrap();
        let anchor = |at: &usize| Anchor::bare("a", parsed[*at].clone(), key.clone(), validity).unwrap();
        let mut index = index([]);
        for (tenant_at, anchors) in &steps {
            let anchors: Vec<Anchor> = anchors.iter().map(anchor).collect();
            index.insert(tenant(&format!("t{tenant_at}"), anchors));
            for name in &parsed {
                let has = |tenant: &&Tenant| tenant.anchors.iter().any(|a| a.name().matches(name));
                let walk: BTreeSet<&TenantId> =
                    index.tenants().filter(has).map(|tenant| &tenant.id).collect();
                proptest::prop_assert_eq!(index.tenants_with_name(&name.prepared()), walk.clone());
                let by_bytes = index.names.get_encoded(&name.to_der()).iter();
                let by_bytes: BTreeSet<&TenantId> =
                    by_bytes.map(|place| index.id(place.tenant).unwrap()).collect();
                proptest::prop_assert_eq!(by_bytes, walk);
            }
        }
    }
}

#[test]
fn reasons_are_those_of_the_facts() {
    for (error, code, status) in [
        (TenantNotFound::Unknown, "tenant-unknown", 404),
        (TenantNotFound::Ambiguous, "tenant-ambiguous", 404),
        (
            TenantNotFound::HintMalformed {
                hint: String::new(),
            },
            "tenant-hint-malformed",
            400,
        ),
    ] {
        let reason = Reason::from(error);
        assert_eq!((reason.code(), reason.http_status()), (code, status));
    }
}

fn document(more: Value) -> TenantDocument {
    TenantDocument::decode(more.to_string().as_bytes(), &mut || "made".to_string()).unwrap()
}

/// A tenant with an anchor of this name and a key of its own.
fn with_name(name: &str) -> Value {
    let anchor = of(&TestCa::new("Any"));
    json!({"trusted-ca": [{
        "subject-dn": name,
        "public-key": STANDARD.encode(anchor.spki()),
        "algorithm": "EC",
        "not-before": "2020-01-01T00:00:00Z",
        "not-after": "2040-01-01T00:00:00Z",
    }]})
}

fn saved(tenants: &[(&str, Value)], id: &str, more: Value) -> Result<(), SaveError> {
    let id_of = |id| TenantId::parse(id).unwrap();
    let tenants = tenants.iter();
    let index = index(tenants.map(|(id, stored)| document(stored.clone()).tenant(id_of(id), 0)));
    index.check_save(&id_of(id), &document(more))
}

#[test]
fn variants_of_one_name_are_taken() {
    let stored = [("t1", with_name("CN=Caf\u{e9} Root,O=ACME"))];
    for variant in [
        "CN=Caf\u{e9} Root,O=ACME",
        "cn=CAF\u{c9} ROOT, o=acme",
        "CN=Cafe\u{301} Root,O=ACME",
        "CN=Caf\u{e9}  Root ,O= ACME",
        r"CN=\ Caf\C3\A9\09Root\ ,O=ACME",
        "2.5.4.3=Caf\u{e9} Root,O=ACME",
        // ACME as PrintableString and as UTF8String.
        "CN=Caf\u{e9} Root,O=#130441434d45",
        "CN=Caf\u{e9} Root,O=#0c0441434d45",
        "CN=Caf\u{e9} Roo\u{ad}t,O=ACME",
    ] {
        let error = saved(&stored, "t2", with_name(variant)).unwrap_err();
        assert_eq!(
            (error.code(), error.pointer()),
            ("issuer-taken", "/trusted-ca/0"),
            "{variant}"
        );
        assert!(error.to_string().contains("tenant t1"));
        // A tenant may have its own names, as often as it likes.
        assert_eq!(saved(&stored, "t1", with_name(variant)), Ok(()));
    }
    for other in [
        "CN=Cafe Root,O=ACME",
        "O=ACME,CN=Caf\u{e9} Root",
        "CN=Caf\u{e9} Root+O=ACME",
    ] {
        assert_eq!(saved(&stored, "t2", with_name(other)), Ok(()), "{other}");
    }
}

#[test]
fn a_group_shares_names() {
    let grouped = |group: Option<&str>| {
        let mut tenant = with_name("CN=Root");
        tenant["trust-anchor-group"] = json!(group);
        tenant
    };
    for (stored, new, shared) in [
        (Some("g"), Some("g"), true),
        (Some("g"), Some("h"), false),
        (Some("g"), None, false),
        (None, Some("g"), false),
        (None, None, false),
    ] {
        let saved = saved(&[("t1", grouped(stored))], "t2", grouped(new));
        assert_eq!(saved.is_ok(), shared, "{stored:?} {new:?}");
    }
}

#[test]
fn names_of_tenants_are_no_other_tenants() {
    let stored = [("t1", json!({"alias": "first"})), ("t2", json!({}))];
    for (id, more, pointer) in [
        ("t2", json!({"alias": "first"}), "/alias"),
        ("t3", json!({"alias": "t1"}), "/alias"),
        ("first", json!({}), ""),
    ] {
        let error = saved(&stored, id, more).unwrap_err();
        assert_eq!(
            (error.code(), error.pointer()),
            ("alias-taken", pointer),
            "{id}"
        );
    }
    assert_eq!(saved(&stored, "t1", json!({"alias": "first"})), Ok(()));
    assert_eq!(saved(&stored, "t2", json!({"alias": "t2"})), Ok(()));
}

#[test]
fn adapters_ask_by_one_of_two_members() {
    let index = index([tenant("t", vec![of(&TestCa::new("Root"))])]);
    let ask = |request: Value| {
        let lookup = TenantLookup::decode(request.to_string().as_bytes()).ok()?;
        Some(lookup.find(&index).map(|tenant| tenant.id.to_string()))
    };
    assert_eq!(ask(json!({"tenant-id": "t"})), Some(Ok("t".to_string())));
    assert_eq!(
        ask(json!({"subject-dn": "cn=ROOT"})),
        Some(Ok("t".to_string()))
    );
    assert_eq!(
        ask(json!({"tenant-id": "u"})),
        Some(Err(TenantNotFound::Unknown))
    );
    assert_eq!(
        ask(json!({"subject-dn": "CN=u"})),
        Some(Err(TenantNotFound::Unknown))
    );
    for request in [
        json!({}),
        json!({"tenant-id": "t", "subject-dn": "CN=Root"}),
        json!({"tenant-id": null}),
        json!({"subject-dn": "Root"}),
        json!({"alias": "t"}),
        json!([]),
    ] {
        assert_eq!(ask(request), None);
    }
}
