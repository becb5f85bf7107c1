//! Which road a request without EAP takes.

use super::super::{Asked, Snapshot};
use crate::event::{Evidence, Method, Reason};
use crate::exchange::Nas;
use crate::policy::{Authorize, AuthorizePassword, ServiceIndex};
use crate::secret::Secret;

/// Why there is none.
pub(super) type NoRoad = (Reason, Vec<Evidence>);

const ROADS: [Method; 2] = [Method::Authorize, Method::Otp];

/// Whether the NAS may use one.
pub(super) fn is_any(nas: &Nas) -> bool {
    ROADS.iter().any(|method| nas.methods.contains(method))
}

/// The first that fits, of those that the NAS may use: by name, by one-time password. Sets the method in the hints, by which services are chosen.
pub(super) fn choose(by: &Snapshot, nas: &Nas, asked: &mut Asked) -> Result<(Method, ServiceIndex), NoRoad> {
    let mut why = (Reason::MethodNotAllowed, vec![Evidence::Method(Method::None)]);
    for method in ROADS.into_iter().filter(|method| nas.methods.contains(method)) {
        asked.hints.method = Some(method);
        let Some(service) = by.policy.route(&asked.hints) else {
            if why.0 == Reason::MethodNotAllowed {
                why = (Reason::NoService, Vec::new());
            }
            continue;
        };
        let Some(settings) = by.policy.service(service) else { continue };
        let fits = match (method, &settings.authorize) {
            (Method::Authorize, Some(authorize)) => match asks(authorize, asked) {
                Some(true) => true,
                // Its Service-Type says that it asks by name: whatever its password is, no code is asked for.
                Some(false) if authorize.service_type.is_some() => return Err((Reason::PasswordWrong, Vec::new())),
                Some(false) => {
                    why = (Reason::PasswordWrong, Vec::new());
                    false
                }
                None => false,
            },
            (Method::Otp, _) => settings.otp.is_some(),
            _ => false,
        };
        if fits {
            return Ok((method, service));
        }
    }
    asked.hints.method = None;
    Err(why)
}

/// Whether a request asks for authorisation by name: its Service-Type is the one for that (`None`: it isn't), and its password says so.
fn asks(authorize: &Authorize, asked: &Asked) -> Option<bool> {
    let said = asked.said.as_ref()?;
    if authorize.service_type.is_some() && authorize.service_type != said.service_type {
        return None;
    }
    let password = said.password.as_ref();
    Some(match &authorize.password {
        AuthorizePassword::Common(common) => password == Some(common),
        AuthorizePassword::Username => {
            let name = Secret::new(asked.user_name.as_deref().unwrap_or_default());
            !name.is_empty() && password == Some(&name)
        }
        AuthorizePassword::None => !said.other_proof && password.is_none_or(Secret::is_empty),
    })
}

/// Whether a road that was taken is still there.
pub(super) fn is_open(by: &Snapshot, nas: &Nas, method: Method, service: ServiceIndex) -> bool {
    let has_it = by.policy.service(service).is_some_and(|service| match method {
        Method::Authorize => service.authorize.is_some(),
        _ => service.otp.is_some(),
    });
    has_it && nas.methods.contains(&method)
}
