//! What it costs to read, join and write the URL of a workflow.

use fulcio_go_url::Url;

fn main() {
    divan::main();
}

const WORKFLOW: &str = "octo-org/octo-repo/.github/workflows/release.yml@refs/heads/main";

#[divan::bench]
fn read_and_write() -> String {
    let url = format!("https://github.com/{WORKFLOW}");
    let url = Url::parse(divan::black_box(&url)).expect("it is a URL");
    url.to_string()
}

#[divan::bench]
fn join() -> String {
    let base = Url::parse("https://github.com/").expect("it is a URL");
    let joined = base.join_path(&[divan::black_box(WORKFLOW)]);
    joined.expect("it is a path").to_string()
}
