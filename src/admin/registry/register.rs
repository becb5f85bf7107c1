//! A certificate is registered, or a record of one.

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;
use serde::Deserialize;
use serde_json::json;
use utoipa::ToSchema;

use super::shown::{Certificate, shown, version};
use super::{View, id, known, line};
use crate::admin::Role;
use crate::admin::audit::Caller;
use crate::admin::input::Body;
use crate::admin::problem::Problem;
use crate::admin::route::Route;
use crate::admin::shared::Shared;
use crate::event::Reason;
use crate::now::Wall;
use crate::observe::Asked;
use crate::pki;
use crate::policy::is_hidden;
use crate::standing::Status;
use crate::store::Known;

/// Longest text of a record in octets; a number of an application stands in paths.
fn longest(field: &str) -> usize {
    if field == "application" { 256 } else { 1024 }
}

pub(super) fn table() -> Vec<Route> {
    vec![
        Route::post("/api/v1/certificates", Role::Registrar, register, "Registers a certificate, or a record of one.")
            .takes::<New>()
            .gives::<Certificate>(200)
            .gives::<Certificate>(201)
            .states_version(),
    ]
}

/// A certificate in PEM alone, or a record of one: it is for comparing lists, and opens nothing.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct New {
    /// The certificate; of several the first.
    pem: Option<String>,
    /// Number of the application at the CA.
    application: Option<String>,
    subject: Option<String>,
    mail: Option<String>,
    /// In hex.
    serial: Option<String>,
    /// Name of the authority in the configuration.
    authority: Option<String>,
    /// What the CA's list says, by either name of a status.
    status: Option<String>,
}

async fn register(State(shared): State<Shared>, caller: Caller, Body(new): Body<New>) -> Result<Response, Problem> {
    let registry = shared.registry()?;
    let now = shared.status.now();
    let view = registry.view();
    let known = match &new.pem {
        Some(pem) => certificate(pem, &new, &view, now)?,
        None => record(&new, &view)?,
    };
    let (target, listed) = (id::of(&known), known.listed.clone());
    let audited = line(&shared, &caller, "register-certificate", &target, json!({ "status": listed }));
    let (record, is_new) = registry.store().register(known, &caller.name, now, audited).await?;
    if listed.is_some() {
        registry.enforce().await?;
    }
    let certificate = shown(registry, std::slice::from_ref(&record), now).await?.pop();
    let status = if is_new { StatusCode::CREATED } else { StatusCode::OK };
    Ok((status, version(&record).header(&certificate), Json(certificate)).into_response())
}

fn certificate(pem: &str, new: &New, view: &View, now: Wall) -> Result<Known, Problem> {
    let bad = |detail: &str| Problem::unprocessable("this can't be registered").field("pem", detail);
    let alone = [&new.application, &new.subject, &new.mail, &new.serial, &new.authority, &new.status];
    if alone.into_iter().any(Option::is_some) {
        return Err(bad("stands alone: everything else is in the certificate"));
    }
    if pem.contains("PRIVATE KEY-----") {
        return Err(bad("holds a private key, which nobody but its owner may have; it was not kept"));
    }
    let der = CertificateDer::from_pem_slice(pem.as_bytes()).map_err(|_| bad("holds no certificate"))?;
    let facts = view.trust.facts(&[&der]).map_err(|refusal| {
        let why = view.explainer.explain(refusal.reason, &refusal.evidence, &Asked { at: now, ..Asked::default() });
        bad(&why.sentence())
    })?;
    let verdict = pki::verdict(&view.trust, &view.revocation, &facts, now);
    if verdict.finding == Reason::WrongOrganisation {
        let why = view.explainer.explain(verdict.finding, &verdict.evidence, &Asked { at: now, ..Asked::default() });
        return Err(bad(&why.sentence()));
    }
    Ok(Known { der: Some(der.to_vec()), ..known(&facts, &view.policy) })
}

fn record(new: &New, view: &View) -> Result<Known, Problem> {
    let bad = |field: &str, detail: &str| Problem::unprocessable("this can't be registered").field(field, detail);
    let text = |field: &str, text: &Option<String>| match text.as_deref().map(str::trim).filter(|text| !text.is_empty())
    {
        Some(text) if text.len() > longest(field) => {
            Err(bad(field, &format!("is longer than {} octets", longest(field))))
        }
        Some(text) if text.contains(is_hidden) => Err(bad(field, "holds characters that don't show")),
        text => Ok(text.map(str::to_owned)),
    };
    let serial = text("serial", &new.serial)?
        .map(|serial| id::serial(&serial).ok_or_else(|| bad("serial", "is no serial number in hex")));
    let serial = serial.transpose()?;
    let authority = text("authority", &new.authority)?;
    let application = text("application", &new.application)?;
    if let Some(name) = &authority
        && !view.trust.authorities().any(|one| *one.name == **name)
    {
        return Err(bad("authority", "is no [[authority]] of the configuration"));
    }
    // A number alone is nobody's name: every authority may give the same. With an application it is known whose.
    if application.is_none() && serial.is_some() != authority.is_some() {
        return Err(bad("serial", "and `authority` name a certificate together"));
    }
    if application.is_none() && serial.is_none() {
        return Err(bad("application", "or `serial` and `authority` must say which certificate it is"));
    }
    let status = text("status", &new.status)?
        .map(|name| Status::named(&name).ok_or_else(|| bad("status", "is none of the contract's")));
    let listed = status.transpose()?.map(|status| status.name().to_owned());
    let subject = text("subject", &new.subject)?.unwrap_or_default();
    Ok(Known {
        authority,
        serial,
        application,
        cn: common_name(&subject),
        subject,
        mail: text("mail", &new.mail)?,
        listed,
        ..Known::default()
    })
}

/// The CN of a subject as lists write it.
fn common_name(subject: &str) -> Option<String> {
    let parts = subject.split([',', '/']).map(str::trim);
    let mut names =
        parts.filter_map(|part| part.split_once('=').filter(|(kind, _)| kind.trim().eq_ignore_ascii_case("CN")));
    names.next().map(|(_, name)| name.trim().to_owned()).filter(|name| !name.is_empty())
}
