use super::*;
use proptest::prelude::*;

/// In the form of Margo 2024's table, as docs/onboarding-api.md §6 shows it; written by
/// python3: json.dumps({...}, separators=(",", ":")).
const TABLE: &str = r#"{"apiVersion":"device.margo/v1","kind":"DeviceCapabilities","properties":{"id":"d-1","vendor":"Northwind","modelNumber":"332ANZE1-N1","serialNumber":"PF45343-AA","roles":["standalone cluster","cluster leader"],"resources":{"cpus":[{"cpuArchitecture":"x64","cores":24,"frequency":6}],"memory":64,"storage":2000},"peripherals":[{"name":"NVIDIA GeForce RTX 4070","type":"gpu","modelNumber":"","properties":{"manufacturer":"NVIDIA","vram":12}}],"interfaces":[{"name":"RTL8125","type":"ethernet","modelNumber":"","properties":{}}]}}"#;

/// The same in the form of Margo 2024's example: its kind, its `architecture`, texts with units.
const EXAMPLE: &str = r#"{
    "apiVersion": "device.margo/v1",
    "kind": "DeviceCapability",
    "properties": {
        "id": "d-1",
        "vendor": "Northwind",
        "modelNumber": "332ANZE1-N1",
        "serialNumber": "PF45343-AA",
        "roles": ["Standalone Cluster", "Cluster Leader", "spare"],
        "resources": {
            "memory": "64.0 GB",
            "storage": "2000 GB",
            "cpus": [{"architecture": "Intel x64", "cores": 24, "frequency": "6.2 GHz"}]
        },
        "peripherals": [
            {"name": "NVIDIA GeForce RTX 4070 Ti SUPER OC Edition Graphics Card", "type": "GPU",
             "modelNumber": "TUF-RTX4070TIS-O16G",
             "properties": {"manufacturer": "NVIDIA", "series": "NVIDIA GeForce RTX 40 Series"}}
        ],
        "interfaces": [{"name": "RTL8125 NIC 2.5G Gigabit LAN Network Card", "type": "Ethernet"}]
    }
}"#;

fn text(quantity: &Quantity) -> &str {
    match quantity {
        Quantity::Text(text) => text.as_str(),
        Quantity::Integer(_) => panic!("an integer"),
    }
}

#[test]
fn the_form_of_margos_table_is_read_and_written() {
    let read = DeviceCapabilities::decode(TABLE.as_bytes()).unwrap();
    assert_eq!(read.id.as_str(), "d-1");
    assert_eq!(read.roles, [Role::StandaloneCluster, Role::ClusterLeader]);
    assert_eq!(read.resources.memory, Quantity::Integer(64));
    assert_eq!(read.resources.cpus[0].cores, Quantity::Integer(24));
    let properties = read.peripherals[0].properties.as_str();
    assert_eq!(properties, r#"{"manufacturer":"NVIDIA","vram":12}"#);
    assert_eq!(read.encode(), TABLE.as_bytes());
}

#[test]
fn the_form_of_margos_example_is_read() {
    let read = DeviceCapabilities::decode(EXAMPLE.as_bytes()).unwrap();
    assert_eq!(read.roles[1], Role::ClusterLeader);
    assert_eq!(read.roles[2].as_str(), "spare");
    assert_eq!(text(&read.resources.memory), "64.0 GB");
    assert_eq!(
        read.resources.cpus[0].cpu_architecture.as_str(),
        "Intel x64"
    );
    assert_eq!(text(&read.resources.cpus[0].frequency), "6.2 GHz");
    assert_eq!(read.interfaces[0].properties, FreeObject::default());
    assert_eq!(DeviceCapabilities::decode(&read.encode()), Ok(read));
}

#[test]
fn a_fraction_is_kept_as_text() {
    let wire = TABLE.replace("\"frequency\":6", "\"frequency\":1.8");
    let read = DeviceCapabilities::decode(wire.as_bytes()).unwrap();
    assert_eq!(text(&read.resources.cpus[0].frequency), "1.8");
}

#[test]
fn each_member_is_checked() {
    for (from, to, said) in [
        (
            "device.margo/v1",
            "device.margo.org/v1alpha1",
            "the member apiVersion is not device.margo/v1",
        ),
        (
            "DeviceCapabilities",
            "DeploymentStatus",
            "the member kind is not DeviceCapabilities",
        ),
        (
            "\"properties\":{\"id\"",
            "\"x\":{\"id\"",
            "the member properties is missing",
        ),
        (
            "\"d-1\"",
            "\"../d-1\"",
            "the member properties.id is invalid: no device id",
        ),
        (
            "\"Northwind\"",
            "null",
            "the member properties.vendor is missing",
        ),
        (
            "\"cluster leader\"",
            "1",
            "the member properties.roles is not a list of short strings",
        ),
        (
            "\"memory\":64",
            "\"memory\":{}",
            "the member properties.resources.memory is not a number or a string",
        ),
        (
            "\"storage\"",
            "\"x\"",
            "the member properties.resources.storage is missing",
        ),
        (
            "\"cpuArchitecture\"",
            "\"x\"",
            "the member properties.resources.cpus[0].cpuArchitecture is missing",
        ),
        (
            "\"cores\":24,",
            "",
            "the member properties.resources.cpus[0].cores is missing",
        ),
        (
            "{\"manufacturer\":\"NVIDIA\",\"vram\":12}",
            "[]",
            "the member properties.peripherals[0].properties is not an object",
        ),
        (
            "\"type\":\"ethernet\"",
            "\"type\":7",
            "the member properties.interfaces[0].type is not a string",
        ),
    ] {
        let error = DeviceCapabilities::decode(TABLE.replace(from, to).as_bytes()).unwrap_err();
        assert_eq!(format!("{error}"), said);
    }
    let twice = TABLE.replace("\"vram\":12", "\"vram\":12,\"vram\":13");
    let error = DeviceCapabilities::decode(twice.as_bytes()).unwrap_err();
    assert!(matches!(error, MessageError::Repeated { .. }));
}

#[test]
fn a_free_object_is_an_object() {
    let read = FreeObject::parse(r#" {"b": [1, 2.5, true, null], "a": "x"} "#).unwrap();
    assert_eq!(read.as_str(), r#"{"a":"x","b":[1,2.5,true,null]}"#);
    assert_eq!(FreeObject::parse("[]"), Err(MessageError::NotAnObject));
}

#[test]
fn a_client_can_make_one() {
    let cpu = Cpu {
        cpu_architecture: ShortText::parse("arm64").unwrap(),
        cores: Quantity::Integer(4),
        frequency: Quantity::Text(ShortText::parse("1.8 GHz").unwrap()),
    };
    let resources = Resources {
        cpus: std::vec![cpu],
        memory: Quantity::Integer(8),
        storage: Quantity::Integer(64),
    };
    let mut made = DeviceCapabilities::new(DeviceId::parse("d-1").unwrap(), resources);
    made.roles.push(Role::StandaloneDevice);
    assert_eq!(DeviceCapabilities::decode(&made.encode()), Ok(made));
}

proptest! {
    #[test]
    fn no_bytes_panic(bytes in proptest::collection::vec(any::<u8>(), 0..100), at in 0_usize..900) {
        let _ = DeviceCapabilities::decode(&bytes);
        let mut cut = TABLE.as_bytes().to_vec();
        let at = at % cut.len();
        cut.splice(at..=at, bytes);
        let _ = DeviceCapabilities::decode(&cut);
    }
}
