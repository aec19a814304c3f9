#[path = "../clients/component.rs"]
mod component;
mod issuance;
mod keycloak;
mod login;
mod oidc_provider;
mod silence;
