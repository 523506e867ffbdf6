use super::*;
use proptest::prelude::*;

/// The form of Margo 2024's example: its lower-case states and a UUID; written by
/// python3: json.dumps({...}, separators=(",", ":")).
const WIRE: &str = r#"{"apiVersion":"deployment.margo/v1","kind":"DeploymentStatus","deploymentId":"a3e2f5dc-912e-494f-8395-52cf3769bc06","status":{"state":"pending","error":{"code":"","message":""}},"components":[{"name":"digitron-orchestrator","state":"pending","error":{"code":"E12","message":"image not found\nregistry down"}},{"name":"database-services","state":"installed"}]}"#;

#[test]
fn what_python_writes_is_read_and_written() {
    let read = DeploymentStatus::decode(WIRE.as_bytes()).unwrap();
    assert_eq!(
        read.deployment_id.as_str(),
        "a3e2f5dc-912e-494f-8395-52cf3769bc06"
    );
    assert_eq!(read.status.state, State::Pending);
    assert_eq!(read.status.error, Some(StatusError::default()));
    assert_eq!(read.components.len(), 2);
    assert_eq!(read.components[1].status.state, State::Installed);
    let error = read.components[0].status.error.as_ref().unwrap();
    assert_eq!(error.code.as_str(), "E12");
    assert_eq!(read.encode(), WIRE.as_bytes());
}

#[test]
fn the_states_of_the_table_and_of_the_prose_are_read() {
    for (text, state) in [
        ("Pending", State::Pending),
        ("Installing", State::Installing),
        ("Installed", State::Installed),
        ("Failed", State::Failed),
        ("FAILURE", State::Failed),
        ("Success", State::Installed),
    ] {
        assert_eq!(State::parse(text), Some(state));
        let wire = WIRE.replacen("\"pending\"", &format!("\"{text}\""), 1);
        let read = DeploymentStatus::decode(wire.as_bytes()).unwrap();
        assert_eq!(read.status.state, state);
    }
    assert_eq!(State::parse("removed"), None);
}

#[test]
fn each_member_is_checked() {
    for (from, to, said) in [
        (
            "deployment.margo/v1",
            "deployment.margo.org/v1alpha1",
            "the member apiVersion is not deployment.margo/v1",
        ),
        (
            "DeploymentStatus",
            "DeploymentStatusManifest",
            "the member kind is not DeploymentStatus",
        ),
        (
            "\"a3e2f5dc-",
            "\"../",
            "the member deploymentId is invalid: no deployment id",
        ),
        ("\"status\"", "\"x\"", "the member status is missing"),
        (
            "\"installed\"",
            "\"gone\"",
            "the member components[1].state is invalid: no state",
        ),
        (
            "\"installed\"",
            "1",
            "the member components[1].state is not a string",
        ),
        (
            "\"E12\"",
            "[]",
            "the member components[0].error.code is not a string",
        ),
        (
            "\"name\":\"database",
            "\"x\":\"database",
            "the member components[1].name is missing",
        ),
    ] {
        let error = DeploymentStatus::decode(WIRE.replace(from, to).as_bytes()).unwrap_err();
        assert_eq!(format!("{error}"), said);
    }
}

#[test]
fn a_number_is_read_as_a_code() {
    let read = DeploymentStatus::decode(WIRE.replace("\"E12\"", "12").as_bytes()).unwrap();
    let error = read.components[0].status.error.as_ref().unwrap();
    assert_eq!(error.code.as_str(), "12");
}

#[test]
fn the_path_names_device_and_deployment() {
    let device = DeviceId::parse("d-1").unwrap();
    let deployment = DeploymentId::parse("a").unwrap();
    assert_eq!(
        path(&device, &deployment),
        "/device/d-1/deployment/a/status"
    );
}

proptest! {
    #[test]
    fn a_status_comes_back(id in "[a-z0-9-]{0,20}", name in "\\PC{0,60}", message in "[ -~\n\t]{0,99}") {
        let id = DeploymentId::parse(&format!("x{id}")).unwrap();
        let mut sent = DeploymentStatus::new(id, State::Failed);
        let code = ShortText::parse("7").unwrap();
        let message = LongText::parse(&message).unwrap();
        sent.components.push(ComponentStatus {
            name: ShortText::parse(&name).unwrap(),
            status: Status { state: State::Installing, error: Some(StatusError { code, message }) },
        });
        prop_assert_eq!(DeploymentStatus::decode(&sent.encode()), Ok(sent));
    }

    #[test]
    fn no_bytes_panic(bytes in proptest::collection::vec(any::<u8>(), 0..100), at in 0_usize..500) {
        let _ = DeploymentStatus::decode(&bytes);
        let mut cut = WIRE.as_bytes().to_vec();
        let at = at % cut.len();
        cut.splice(at..=at, bytes);
        let _ = DeploymentStatus::decode(&cut);
    }
}
