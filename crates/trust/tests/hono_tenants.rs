//! The suite `hono`: tenants as documents, and finding them.

// A test reports by panicking; clippy sees that only inside the test functions themselves.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing
)]

use std::time::Duration;

use gangplank_trust::{
    AdapterView, DistinguishedName, DocumentError, FillError, Reason, StoredAuthId, Template,
    TemplateError, TenantDocument, TenantHint, TenantId, TenantIndex, TenantLookup,
};
use rustls_pki_types::{CertificateDer, UnixTime};
use serde_json::{Value, json};

mod suite;

use suite::{Outcome, Run, Vectors, bytes, hex, known_members, same, text};

#[test]
fn tenants() {
    let Some(vectors) = Vectors::read("cases.json") else {
        return;
    };
    let mut run = Run::new("tenants");
    run.kind(&vectors, "tenant-save", 16, tenant_save);
    run.kind(&vectors, "adapter-view", 1, adapter_view);
    run.kind(&vectors, "adapter-decode", 0, adapter_decode);
    run.kind(&vectors, "tenant-write", 4, tenant_write);
    run.kind(&vectors, "tenant-lookup", 2, tenant_lookup);
    run.kind(&vectors, "tenant-resolve", 2, tenant_resolve);
    run.kind(&vectors, "auth-id-normalise", 3, auth_id_normalise);
    run.kind(&vectors, "template", 13, template);
    run.kind(&vectors, "template-save", 5, template_save);
    run.kind(&vectors, "dn", 4, names);
    run.finish();
}

fn tenant_save(case: &Value) -> Outcome {
    known_case(
        case,
        "tenant",
        "outcome status effective written absent generated",
    )?;
    let expect = &case["expect"];
    let document = match decode(&case["given"]["tenant"]) {
        Ok(document) => document,
        Err(error) => {
            return same("reject", text(expect, "outcome")).map_err(|_| error.to_string());
        }
    };
    same("accept", text(expect, "outcome"))?;
    let written: Value = serde_json::from_str(&document.encode()).unwrap();
    subset(&expect["effective"], &effective(&written), "")?;
    if let Some(exactly) = expect.get("written") {
        same(&written, exactly)?;
    }
    for pointer in strings(&expect["absent"]) {
        same(None, written.pointer(pointer))?;
    }
    let mut generated: Vec<&str> = Vec::new();
    for pointer in strings(&expect["generated"]) {
        let value = written.pointer(pointer).and_then(Value::as_str);
        let value = value.filter(|value| !value.is_empty() && !generated.contains(value));
        generated.push(value.ok_or(format!("{pointer} is not generated"))?);
    }
    kept(&document)
}

/// What is written is read again as the same, by operators and from the database.
fn kept(document: &TenantDocument) -> Outcome {
    let stored = document.to_stored();
    let again =
        TenantDocument::from_stored(stored.as_bytes()).map_err(|error| error.to_string())?;
    same(again.to_stored(), stored)?;
    let written = document.encode();
    let again =
        decode(&serde_json::from_str(&written).unwrap()).map_err(|error| error.to_string())?;
    same(again.encode(), written)
}

fn adapter_view(case: &Value) -> Outcome {
    known_case(case, "tenant-id tenant now", "view")?;
    let given = &case["given"];
    let document = decode(&given["tenant"]).map_err(|error| error.to_string())?;
    let id = TenantId::parse(text(given, "tenant-id")).unwrap();
    let view = document.adapter_view(id, time(given)).encode();
    same(
        &serde_json::from_str::<Value>(&view).unwrap(),
        &case["expect"]["view"],
    )
}

/// The suite names the kind and has no case of it yet: one that comes up is to be looked at.
fn adapter_decode(case: &Value) -> Outcome {
    let view = AdapterView::decode(case["given"].to_string().as_bytes());
    let view = view.map_err(|error| error.to_string())?;
    subset(
        &case["expect"],
        &serde_json::from_str(&view.encode()).unwrap(),
        "",
    )
}

fn tenant_write(case: &Value) -> Outcome {
    known_case(case, "stored write", "outcome status reason")?;
    let given = &case["given"];
    known_members(&given["write"], "operation tenant-id tenant")?;
    let index = stored(&given["stored"])?;
    let id = TenantId::parse(text(&given["write"], "tenant-id")).unwrap();
    let exists = text(&given["write"], "operation") == "update";
    same(index.get(&id).is_some(), exists)?;
    let document = decode(&given["write"]["tenant"]).map_err(|error| error.to_string())?;
    let found = index.check_save(&id, &document);
    let reason = found.err().map(|error| error.code());
    same(reason, case["expect"]["reason"].as_str())?;
    let outcome = if reason.is_some() { "reject" } else { "accept" };
    same(outcome, text(&case["expect"], "outcome"))
}

fn tenant_lookup(case: &Value) -> Outcome {
    known_case(
        case,
        "stored lookup now",
        "outcome status reason tenant-id trusted-ca",
    )?;
    let (given, expect) = (&case["given"], &case["expect"]);
    let index = stored(&given["stored"])?;
    let lookup = TenantLookup::decode(given["lookup"].to_string().as_bytes());
    let found = lookup
        .map_err(|error| error.to_string())?
        .find(&index)
        .map_err(Reason::from);
    let tenant = match found {
        Ok(tenant) => tenant,
        Err(reason) => return refused(&reason, expect),
    };
    same("accept", text(expect, "outcome"))?;
    let id = tenant.id.clone();
    let document = decode(&given["stored"][id.as_str()]).unwrap();
    let view = document.adapter_view(id, time(given)).encode();
    let view: Value = serde_json::from_str(&view).unwrap();
    same(&view["tenant-id"], &expect["tenant-id"])?;
    subset(&expect["trusted-ca"], &view["trusted-ca"], "/trusted-ca")
}

fn tenant_resolve(case: &Value) -> Outcome {
    known_case(
        case,
        "stored leaf-issuer-dn sni now",
        "outcome status reason tenant-id device-sees",
    )?;
    let (given, expect) = (&case["given"], &case["expect"]);
    let index = stored(&given["stored"])?;
    let issuer = text(given, "leaf-issuer-dn");
    let hint = strings(&given["sni"]).next();
    let hint = hint.map_or(TenantHint::None, TenantHint::HostName);
    match index
        .candidates(&[issued_by(issuer)], hint)
        .map_err(Reason::from)
    {
        Ok(found) => same(found.tenant.id.as_str(), text(expect, "tenant-id")),
        Err(reason) => refused(&reason, expect),
    }
}

fn auth_id_normalise(case: &Value) -> Outcome {
    known_case(case, "auth-id", "outcome auth-id")?;
    let found = StoredAuthId::normalised(text(&case["given"], "auth-id"));
    same(
        found.as_ref().map(StoredAuthId::as_str),
        case["expect"]["auth-id"].as_str(),
    )?;
    let outcome = if found.is_some() { "accept" } else { "reject" };
    same(outcome, text(&case["expect"], "outcome"))
}

fn refused(reason: &Reason, expect: &Value) -> Outcome {
    same("refuse", text(expect, "outcome"))?;
    same(reason.code(), text(expect, "reason"))?;
    same(
        Some(u64::from(reason.http_status())),
        expect["status"].as_u64(),
    )
}

fn stored(tenants: &Value) -> Result<TenantIndex, String> {
    let mut index = TenantIndex::default();
    for (id, tenant) in tenants.as_object().unwrap() {
        let id = TenantId::parse(id).map_err(|error| error.to_string())?;
        let document = decode(tenant).map_err(|error| error.to_string())?;
        index
            .check_save(&id, &document)
            .map_err(|error| error.to_string())?;
        index.insert(document.tenant(id, 0));
    }
    Ok(index)
}

/// As much of a certificate as a tenant is looked up by: serial number, algorithm, issuer, validity,
/// subject and key, of which only the issuer has content.
fn issued_by(issuer: &str) -> CertificateDer<'static> {
    let issuer = DistinguishedName::parse(issuer).unwrap().to_der();
    let empty = [0x30, 0];
    let body = [&[2, 1, 1][..], &empty, &issuer, &empty, &empty, &empty].concat();
    let length = |of: &[u8]| u8::try_from(of.len()).unwrap();
    let body = [&[0x30, length(&body)], &body[..]].concat();
    CertificateDer::from([&[0x30, length(&body)], &body[..]].concat())
}

fn template(case: &Value) -> Outcome {
    known_case(case, "template subject-dn subject-der", "result refuse")?;
    let given = &case["given"];
    let subject = DistinguishedName::from_der(&bytes(text(given, "subject-der"))).unwrap();
    same(subject.to_string().as_str(), text(given, "subject-dn"))?;
    let found = match Template::parse(text(given, "template"))
        .unwrap()
        .fill(&subject)
    {
        Ok(filled) => json!({"result": filled.as_str()}),
        Err(FillError::Absent { .. } | FillError::Empty { .. } | FillError::NotText { .. }) => {
            json!({"refuse": "template-attribute-missing"})
        }
        Err(other) => return Err(other.to_string()),
    };
    same(&found, &case["expect"])
}

fn template_save(case: &Value) -> Outcome {
    known_case(case, "template", "outcome status unknown")?;
    let expect = &case["expect"];
    same("reject", text(expect, "outcome"))?;
    let unknown = match Template::parse(text(&case["given"], "template")) {
        Ok(_) => return Err("is a template".into()),
        Err(TemplateError::UnknownPlaceholder { unknown }) => json!(unknown),
        Err(_) => Value::Null,
    };
    same(&unknown, &expect["unknown"])
}

fn names(case: &Value) -> Outcome {
    known_case(case, "names", "rfc2253 equal jdk-equal")?;
    let names = case["given"]["names"].as_array().unwrap().iter();
    let read = |name: &Value| DistinguishedName::from_der(&bytes(text(name, "der"))).unwrap();
    let names: Vec<DistinguishedName> = names.map(read).collect();
    let printed: Vec<String> = names.iter().map(ToString::to_string).collect();
    same(&json!(printed), &case["expect"]["rfc2253"])?;
    for triple in case["expect"]["equal"].as_array().into_iter().flatten() {
        let name = |at: usize| &names[usize::try_from(triple[at].as_u64().unwrap()).unwrap()];
        same(name(0).matches(name(1)), triple[2].as_bool().unwrap())?;
    }
    same(
        hex(&names[0].to_der()).as_str(),
        text(&case["given"]["names"][0], "der"),
    )
}

fn decode(tenant: &Value) -> Result<TenantDocument, DocumentError> {
    let mut made = 0;
    let mut new_id = || {
        made += 1;
        format!("made-{made}")
    };
    TenantDocument::decode(tenant.to_string().as_bytes(), &mut new_id)
}

/// With the defaults of what is not written.
fn effective(written: &Value) -> Value {
    let mut effective = json!({"enabled": true, "trusted-ca": []});
    let off = ["ocsp-revocation-enabled", "ocsp-nonce-enabled"];
    for (name, value) in written.as_object().unwrap() {
        effective[name] = value.clone();
    }
    for anchor in effective["trusted-ca"].as_array_mut().unwrap() {
        for name in off {
            if anchor.get(name).is_none() {
                anchor[name] = json!(false);
            }
        }
    }
    effective
}

fn subset(expected: &Value, found: &Value, at: &str) -> Outcome {
    match (expected, found) {
        (Value::Null, _) => Ok(()),
        (Value::Object(members), Value::Object(_)) => members
            .iter()
            .try_for_each(|(name, value)| subset(value, &found[name], &format!("{at}/{name}"))),
        (Value::Array(expected), Value::Array(found)) if expected.len() == found.len() => expected
            .iter()
            .zip(found)
            .try_for_each(|(expected, found)| subset(expected, found, at)),
        _ => same(found, expected).map_err(|what| format!("{at}: {what}")),
    }
}

fn known_case(case: &Value, given: &str, expect: &str) -> Outcome {
    known_members(case, "id group kind given expect relation source note hono")?;
    known_members(&case["given"], given)?;
    known_members(&case["expect"], expect)
}

fn strings(list: &Value) -> impl Iterator<Item = &str> {
    list.as_array()
        .into_iter()
        .flatten()
        .map(|text| text.as_str().unwrap())
}

fn time(given: &Value) -> UnixTime {
    let time: jiff::Timestamp = text(given, "now").parse().unwrap();
    UnixTime::since_unix_epoch(Duration::from_secs(time.as_second().unsigned_abs()))
}
