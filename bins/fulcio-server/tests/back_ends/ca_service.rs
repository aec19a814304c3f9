use fulcio_test_services::ca_service::CaService;

use super::{Table, table::Signs};
use crate::common::{Scene, Variables};

/// Google's CA Service as its documentation describes it: it makes the certificates itself.
pub(crate) fn google(table: &Table) {
    let service = table.wait(CaService::start());
    service.add("one");
    let signs = Signs {
        back_end: "googleca",
        key: "P-384",
        component: "double of Google CA Service",
    };
    let scene = Scene::new();
    let parent = format!("--gcp_private_ca_parent={}", CaService::POOL);
    let address = service.address.clone();
    let variables = Variables::from([("CLOUDSDK_API_ENDPOINT_OVERRIDES_PRIVATECA", address)]);
    let serve = scene.serve(&["--ca=googleca", &parent], &variables);
    table.issues(&signs, &scene, serve);
}
