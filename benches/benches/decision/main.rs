//! What a decision costs on top of validation: finding the tenant of a certificate among 10,000 with five
//! anchors each, and deciding about its device. Beside it `verify` of leaf and one intermediate, so that
//! the figures can be read on any machine.
//!
//! | row | what it does |
//! |---|---|
//! | `verify` | path, key and names, by aws-lc-rs 1.19, P-256 |
//! | find the tenant | `TenantIndex::candidates`, of the two certificates as DER |
//! | decide: … | `decide` about the verified chain: plan or recognition, and the trace |
//!
//! A figure is the median of 31 blocks of at least 15 ms of the thread's processor time, in turn with the
//! others; the extremes beside it.
//!
//! `cargo bench --manifest-path benches/Cargo.toml --bench decision`

use std::hint::black_box;
use std::time::Duration;

use gangplank_benches::cases::Operation;
use gangplank_benches::race::table;
use gangplank_key::{Backend, UnixTime};
use gangplank_testkit::{Leaf, NOW, TestCa, VALID_FROM, VALID_UNTIL};
use gangplank_trust::{
    Anchor, AnchorPolicy, AutoProvisioning, Bound, DistinguishedName, Known, KnownDevice, Proof,
    ProvisionAs, Revocation, Source, Standing, StoredAuthId, Tenant, TenantHint, TenantId,
    TenantIndex, Validity, decide, verify,
};

fn main() {
    let load = || std::fs::read_to_string("/proc/loadavg").unwrap_or_default();
    println!("load before: {}", load().trim());
    let root = TestCa::new("Acme Root CA");
    let middle = root.intermediate(&Leaf::new("Acme Device CA 7").organization("Acme Machines"));
    let leaf = Leaf::new("press-7").organization("Acme Machines");
    let chain = [middle.issue(&leaf).certificate, middle.certificate];
    let index = index(&root);
    let find = || index.candidates(&chain, TenantHint::None).unwrap().tenant;
    let (tenant, unknown) = (find(), Revocation::NotChecked);
    let verified = verify(&chain, tenant, unknown, Backend::AWS_LC_RS, NOW).unwrap();
    let mut closed = tenant.clone();
    for anchor in &mut closed.anchors {
        *anchor = anchor.clone().with_policy(AnchorPolicy::default());
    }
    let device = KnownDevice {
        tenant: tenant.id.clone(),
        device_id: "press-7".to_owned(),
        certificate_id: None,
        auth_id: Some(StoredAuthId::new("CN=press-7,O=Acme Machines")),
        bound: Bound {
            spki_sha256: vec![verified.spki_sha256()],
            ..Bound::default()
        },
        joined_as: ProvisionAs::Device,
        standing: Standing::Admitted,
    };
    let decision = |tenant, device: Option<&KnownDevice>| {
        let known = Known::from(device);
        decide(
            &Proof::Chain(&verified),
            tenant,
            known,
            Source::Unknown,
            NOW,
        )
    };
    let rows: Vec<(&str, Operation<'_>)> = vec![
        (
            "`verify`",
            Box::new(|| {
                black_box(verify(&chain, tenant, unknown, Backend::AWS_LC_RS, NOW).unwrap());
            }),
        ),
        (
            "find the tenant",
            Box::new(|| {
                black_box(find());
            }),
        ),
        (
            "decide: a device joins",
            Box::new(|| {
                black_box(decision(tenant, None));
            }),
        ),
        (
            "decide: a known device",
            Box::new(|| {
                black_box(decision(tenant, Some(&device)));
            }),
        ),
        (
            "decide: a stranger is refused",
            Box::new(|| {
                black_box(decision(&closed, None));
            }),
        ),
    ];
    table(
        "A decision against 10,000 tenants with five anchors each",
        rows,
    );
    println!("\nload after: {}", load().trim());
}

/// One of the tenants has the root and provisions.
fn index(root: &TestCa) -> TenantIndex {
    let own = Anchor::from_certificate("own", root.certificate.clone()).unwrap();
    let spki = own.spki().to_vec();
    let at = |seconds| UnixTime::since_unix_epoch(Duration::from_secs(seconds));
    let validity = Validity::new(at(VALID_FROM), at(VALID_UNTIL)).unwrap();
    let mut index = TenantIndex::default();
    for number in 0..TENANTS {
        let mut tenant = Tenant::new(TenantId::parse(&format!("tenant-{number}")).unwrap());
        for which in 0..ANCHORS {
            let name = format!("CN=Device CA {which},O=Customer {number},C=DE");
            let name = DistinguishedName::parse(&name).unwrap();
            let id = which.to_string();
            tenant
                .anchors
                .push(Anchor::bare(&id, name, spki.clone(), validity).unwrap());
        }
        if number == TENANTS / 2 {
            tenant.anchors.pop();
            tenant.anchors.push(own.clone().with_policy(AnchorPolicy {
                auto_provisioning: AutoProvisioning::Enabled,
                ..AnchorPolicy::default()
            }));
        }
        index.insert(tenant);
    }
    index
}

const TENANTS: usize = 10_000;
const ANCHORS: usize = 5;
