mod issuance;
mod keycloak;
mod login;
mod oidc_provider;
mod silence;
