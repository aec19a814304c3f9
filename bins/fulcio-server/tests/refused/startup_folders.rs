use super::{
    super::common::{Server, run},
    startup::{
        EPHEMERAL, Folder, ends_with_one_line, explains_usage, refuses, refuses_to_understand,
    },
};

#[test]
fn says_what_is_wrong_with_a_log() {
    let folder = Folder::new();
    let refused = |flags: &[&str], parts: &[&str]| {
        let mut all = vec![EPHEMERAL, folder.config.as_str()];
        all.extend(flags);
        refuses(&all, parts);
    };
    for url in [
        "nope",
        "ftp://log.example.com/",
        "http://",
        "http://a@b.example.com/",
    ] {
        let flag = format!("--ct-log-url={url}");
        explains_usage(
            &["serve", EPHEMERAL, &folder.config, &flag],
            &[&format!("'{url}' for '--ct-log-url <URL>'")],
        );
    }
    let log = "--ct-log-url=http://127.0.0.1:9/test";
    let (absent, text) = (folder.path("absent"), folder.write("text", "no PEM"));
    for flag in ["--ct-log-public-key-path", "--ct-log.tls-ca-cert"] {
        let given = format!("{flag}={absent}");
        let named = format!("{flag} {absent} cannot be read; check the path");
        refused(&[log, &given], &[&named, "No such file"]);
        let given = format!("{flag}={text}");
        refused(&[log, &given], &[&format!("{flag} {text}"), "PEM"]);
    }
}

#[test]
fn says_what_is_wrong_with_the_folder_of_an_embedded_log() {
    let folder = Folder::new();
    let refused = |url: &str, more: &[&str], parts: &[&str]| {
        let url = format!("--ct-log-url={url}");
        let mut all = vec![EPHEMERAL, folder.config.as_str(), &url];
        all.extend(more);
        refuses(&all, parts);
    };
    explains_usage(
        &["serve", EPHEMERAL, &folder.config, "--ct-log-url=embedded:"],
        &["--ct-log-url", "needs a folder"],
    );
    let url = format!("embedded:{}", folder.path("log"));
    refuses_to_understand(
        &[EPHEMERAL, &folder.config, &format!("--ct-log-url={url}")],
        &["--ct-log-origin is missing", &url, "log.example.com"],
    );
    refused(
        &url,
        &["--ct-log-origin=http://a b"],
        &["http://a b", "log.example.com"],
    );
    let file = format!("embedded:{}", folder.write("file", ""));
    refused(
        &file,
        &["--ct-log-origin=a.example.com"],
        &["--ct-log-url", &file, "create the folder"],
    );

    let flag = format!("--ct-log-url={url}");
    let flags = [
        EPHEMERAL,
        &folder.config,
        &flag,
        "--ct-log-origin=a.example.com",
    ];
    let first = Server::start(&flags);
    refused(
        &url,
        &[],
        &[
            "--ct-log-url",
            &url,
            "in use by another process",
            "another folder",
        ],
    );
    assert_eq!(first.terminate().status.code(), Some(0));
    refused(
        &url,
        &["--ct-log-origin=b.example.com"],
        &["a.example.com", "b.example.com", &url],
    );
}

#[test]
fn says_what_is_wrong_with_a_quickstart() {
    let folder = Folder::new();
    let data = folder.path("data");
    let refused = |flags: &[&str], parts: &[&str]| {
        let mut all = vec!["quickstart", "--once", "--port=0"];
        all.extend(flags);
        ends_with_one_line(&run(&all), parts);
    };
    let file = folder.write("file", "");
    refused(
        &["--data-dir", &file],
        &["--data-dir", &file, "choose another place"],
    );
    let absent = folder.path("absent");
    let flags = ["--data-dir", &data, "--password-file"];
    let with = |path: &str| {
        [&flags[..], &[path]]
            .concat()
            .iter()
            .map(|s| s.to_string())
            .collect::<Vec<_>>()
    };
    let refused_with = |path: &str, parts: &[&str]| {
        let flags = with(path);
        let flags: Vec<_> = flags.iter().map(String::as_str).collect();
        refused(&flags, parts);
    };
    refused_with(&absent, &["--password-file", &absent, "check the path"]);
    refused_with(&file, &["--password-file", &file, "first line"]);
    let one = folder.write("one", "one\n");
    let finished = run(&[
        "quickstart",
        "--once",
        "--port=0",
        "--data-dir",
        &data,
        "--password-file",
        &one,
    ]);
    assert_eq!(finished.status.code(), Some(0), "{finished:?}");
    let other = folder.write("other", "other\n");
    refused_with(
        &other,
        &["--password-file", &other, "password does not open"],
    );
    let flags = [
        "--data-dir",
        &data,
        "--password-file",
        &one,
        "--identity=nobody",
    ];
    refused(&flags, &["--identity nobody", "400"]);
}
