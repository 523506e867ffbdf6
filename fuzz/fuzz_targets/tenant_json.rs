//! Arbitrary bytes as the document of a tenant, a device or a credential: reading never panics, and what is read is written so that it
//! reads as the same, for operators, for the database and for protocol adapters.

#![no_main]

use std::time::Duration;

use gangplank_key::UnixTime;
use gangplank_trust::{
    AdapterView, CredentialDocument, CredentialsLookup, DeviceDocument, FreeObject, ImportDocument,
    TenantDocument, TenantId, TenantIndex, TenantLookup, lint,
};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|input: &[u8]| {
    let mut made = 0;
    let mut new_id = || {
        made += 1;
        format!("made-{made}")
    };
    if let Ok(document) = TenantDocument::decode(input, &mut new_id) {
        check(&document);
    }
    if let Ok(document) = TenantDocument::from_stored(input) {
        check(&document);
    }
    if let Ok(view) = AdapterView::decode(input) {
        check_view(&view);
    }
    if let Ok(object) = FreeObject::parse(input) {
        let written = object.to_string();
        assert_eq!(FreeObject::parse(written.as_bytes()), Ok(object));
    }
    if let Ok(import) = ImportDocument::decode(input) {
        for one in &import.devices {
            check_device(&one.device);
            one.credentials.iter().for_each(check_credential);
        }
    }
    if let Ok(device) = DeviceDocument::decode(input) {
        check_device(&device);
    }
    if let Ok(credential) = CredentialDocument::decode(input) {
        check_credential(&credential);
    }
    let _ = TenantLookup::decode(input);
    let _ = CredentialsLookup::decode(input);
});

fn check_device(device: &DeviceDocument) {
    let stored = device.to_stored();
    assert_eq!(
        DeviceDocument::from_stored(stored.as_bytes()).as_ref(),
        Ok(device)
    );
}

fn check_credential(credential: &CredentialDocument) {
    let stored = credential.to_stored();
    let again =
        CredentialDocument::from_stored(stored.as_bytes()).expect("what was stored is read");
    assert_eq!(again.to_stored(), stored);
    let written = credential.encode();
    let again = CredentialDocument::decode(written.as_bytes()).expect("what was written is read");
    assert_eq!(again.encode(), written);
}

fn check(document: &TenantDocument) {
    let stored = document.to_stored();
    let again = TenantDocument::from_stored(stored.as_bytes()).expect("what was stored is read");
    assert_eq!(again.to_stored(), stored);
    let written = document.encode();
    let again = TenantDocument::decode(written.as_bytes(), &mut || panic!("every id is written"));
    let again = again.expect("what was written is read");
    assert_eq!(again.encode(), written);
    assert_eq!(again.with_certificates_of(document).to_stored(), stored);

    let id = TenantId::parse("t").expect("an id");
    let now = UnixTime::since_unix_epoch(Duration::from_secs(1_767_225_600));
    let view = document.adapter_view(id.clone(), now);
    check_view(&AdapterView::decode(view.encode().as_bytes()).expect("a view is read"));
    let mut index = TenantIndex::default();
    let alone = lint(&id, document, &index, now);
    index.insert(document.tenant(id.clone(), 1));
    // A tenant is not in its own way.
    assert_eq!(lint(&id, document, &index, now), alone);
    assert_eq!(index.check_save(&id, document), Ok(()));
    for anchor in document.anchors() {
        assert!(index.by_issuer(anchor.name()).is_ok());
    }
}

fn check_view(view: &AdapterView) {
    let written = view.encode();
    let again = AdapterView::decode(written.as_bytes()).expect("what was written is read");
    assert_eq!(again.encode(), written);
    view.anchors.iter().for_each(|anchor| drop(anchor.spki()));
}
