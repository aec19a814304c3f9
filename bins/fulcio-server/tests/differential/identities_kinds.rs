//! The kinds of identity providers that the cases are about, each with a good token.

/// The templates of providers of continuous integration: the public ones, and some of our own. They
/// are those of the vectors of the crate that evaluates them.
const CONFIG: &str = include_str!("../../../../crates/identity/tests/vectors/fulcio.yaml");

/// One kind of identity provider.
#[derive(Debug)]
pub(super) struct Kind {
    /// What its cases are called, and the path of its URL.
    pub(super) name: &'static str,
    /// What the configuration calls it.
    pub(super) kind: &'static str,
    /// What else the configuration says of it, line by line.
    pub(super) more: &'static [&'static str],
    /// The claims of a good token but for `iss`, `aud` and the times.
    pub(super) claims: &'static str,
    /// What the holder of that token signs.
    pub(super) challenge: &'static str,
    /// Claims of that token that nobody reads, or that no template shows.
    pub(super) unread: &'static [&'static str],
    /// Claims that become a part of the path of a URL.
    pub(super) joined: &'static [&'static str],
}

impl Kind {
    /// What the configuration says of it, whether below a URL or a pattern.
    pub(super) fn settings(&self) -> String {
        let mut settings = format!("    client-id: sigstore\n    type: {}\n", self.kind);
        for line in self.more {
            settings += &format!("    {line}\n");
        }
        settings
    }

    /// Whether claims are members of a map, so that names of any case and values of any type do.
    pub(super) fn has_templates(&self) -> bool {
        self.kind == "ci-provider"
    }
}

/// The section of the configuration that has the templates.
pub(super) fn templates() -> &'static str {
    CONFIG.split_once("oidc-issuers:").unwrap().0
}

const GITHUB: &str = r#"{"sub": "repo:octo-org/octo-repo:ref:refs/heads/main",
    "job_workflow_ref": "octo-org/octo-automation/.github/workflows/oidc.yml@refs/heads/main",
    "sha": "5f0e6d1c", "event_name": "workflow_dispatch", "repository": "octo-org/octo-repo",
    "workflow": "Build → sign", "ref": "refs/heads/main", "job_workflow_sha": "a1b2c3d4",
    "runner_environment": "github-hosted", "repository_id": "74",
    "repository_owner": "octo-org", "repository_owner_id": "65",
    "repository_visibility": "private",
    "workflow_ref": "octo-org/octo-automation/.github/workflows/top.yml@refs/heads/main",
    "workflow_sha": "99887766", "run_id": "1234567890", "run_attempt": "2",
    "environment": "production"}"#;

const GITLAB: &str = r#"{"sub": "project_path:group/project:ref_type:branch:ref:main",
    "project_path": "group/project", "pipeline_source": "push", "pipeline_id": "12",
    "ci_config_ref_uri": "gitlab.com/group/project//.gitlab-ci.yml@refs/heads/main",
    "ci_config_sha": "abc", "job_id": "34", "ref": "main", "ref_type": "branch",
    "namespace_path": "group", "namespace_id": "5", "project_id": "6", "sha": "def",
    "runner_environment": "gitlab-hosted", "runner_id": 7, "project_visibility": "public",
    "environment": "production"}"#;

const CODEFRESH: &str = r#"{"sub": "account:628a80b693a15c0f9c13ab75:pipeline:p",
    "account_id": "628a80b693a15c0f9c13ab75", "account_name": "acc",
    "pipeline_id": "65e5a53e52853dc51a5b0cc1", "pipeline_name": "proj/pipe",
    "workflow_id": "wf1", "initiator": "ada", "scm_repo_url": "https://github.com/a/b",
    "scm_user_name": "ada", "scm_ref": "main", "scm_pull_request_target_branch": "prod",
    "runner_environment": "cloud", "platform_url": "https://cf.example.com/base"}"#;

const BUILDKITE: &str = r#"{"sub": "organization:acme:pipeline:pipe", "organization_slug": "acme",
    "pipeline_slug": "pipe", "build_number": 12, "build_commit": "abc", "build_source": "ui",
    "runner_environment": "x", "job_id": "0187"}"#;

const EMAIL: &str = r#"{"sub": "1234", "email": "ada@example.com", "email_verified": true,
    "federated_claims": {"connector_id": "https://github.com/login/oauth", "user_id": "7"}}"#;

pub(super) const KINDS: &[Kind] = &[
    Kind {
        name: "email",
        kind: "email",
        more: &[],
        claims: EMAIL,
        challenge: "ada@example.com",
        unread: &["federated_claims"],
        joined: &[],
    },
    Kind {
        name: "email-unverified",
        kind: "email",
        more: &["skip-email-verification: true"],
        claims: EMAIL,
        challenge: "ada@example.com",
        unread: &["federated_claims"],
        joined: &[],
    },
    Kind {
        name: "email-connector",
        kind: "email",
        more: &["issuer-claim: $.federated_claims.connector_id"],
        claims: EMAIL,
        challenge: "ada@example.com",
        unread: &[],
        joined: &[],
    },
    Kind {
        name: "spiffe",
        kind: "spiffe",
        more: &["spiffe-trust-domain: example.com"],
        claims: r#"{"sub": "spiffe://example.com/workload"}"#,
        challenge: "spiffe://example.com/workload",
        unread: &[],
        joined: &[],
    },
    Kind {
        name: "uri",
        kind: "uri",
        more: &["subject-domain: http://127.0.0.1"],
        claims: r#"{"sub": "http://127.0.0.1/users/ada"}"#,
        challenge: "http://127.0.0.1/users/ada",
        unread: &[],
        joined: &[],
    },
    Kind {
        name: "username",
        kind: "username",
        more: &["subject-domain: 127.0.0.1"],
        claims: r#"{"sub": "ada"}"#,
        challenge: "ada",
        unread: &[],
        joined: &[],
    },
    Kind {
        name: "kubernetes",
        kind: "kubernetes",
        more: &[],
        claims: r#"{"sub": "system:serviceaccount:ns:builder", "kubernetes.io": {"namespace": "ns",
            "serviceaccount": {"name": "builder", "uid": "u1"}, "pod": {"name": "p", "uid": "u2"}}}"#,
        challenge: "system:serviceaccount:ns:builder",
        unread: &[],
        joined: &[],
    },
    Kind {
        name: "chainguard",
        kind: "chainguard-identity",
        more: &[],
        claims: r#"{"sub": "org/identity", "act": {"iss": "x", "sub": "y"},
            "internal": {"service-principal": "COSIGNED"}}"#,
        challenge: "org/identity",
        unread: &[],
        joined: &["sub"],
    },
    Kind {
        name: "chainguard-email",
        kind: "chainguard-identity",
        more: &[],
        claims: r#"{"sub": "org/identity", "email": "ada@example.com", "email_verified": true}"#,
        challenge: "ada@example.com",
        unread: &[],
        joined: &["sub"],
    },
    Kind {
        name: "github",
        kind: "github-workflow",
        more: &[],
        claims: GITHUB,
        challenge: "repo:octo-org/octo-repo:ref:refs/heads/main",
        unread: &["environment"],
        joined: &[
            "job_workflow_ref",
            "repository",
            "repository_owner",
            "workflow_ref",
            "run_id",
            "run_attempt",
        ],
    },
    Kind {
        name: "gitlab",
        kind: "gitlab-pipeline",
        more: &[],
        claims: GITLAB,
        challenge: "project_path:group/project:ref_type:branch:ref:main",
        unread: &["environment"],
        joined: &["project_path", "job_id", "namespace_path"],
    },
    Kind {
        name: "codefresh",
        kind: "codefresh-workflow",
        more: &[],
        claims: CODEFRESH,
        challenge: "account:628a80b693a15c0f9c13ab75:pipeline:p",
        unread: &[],
        joined: &[
            "account_id",
            "account_name",
            "pipeline_id",
            "pipeline_name",
            "workflow_id",
        ],
    },
    Kind {
        name: "buildkite",
        kind: "buildkite-job",
        more: &[],
        claims: BUILDKITE,
        challenge: "organization:acme:pipeline:pipe",
        unread: &[
            "build_number",
            "build_commit",
            "build_source",
            "runner_environment",
            "job_id",
        ],
        joined: &[],
    },
    Kind {
        name: "ci-github",
        kind: "ci-provider",
        more: &["ci-provider: pub-github-workflow"],
        claims: GITHUB,
        challenge: "repo:octo-org/octo-repo:ref:refs/heads/main",
        unread: &[],
        joined: &[],
    },
    Kind {
        name: "ci-gitlab",
        kind: "ci-provider",
        more: &["ci-provider: pub-gitlab-pipeline"],
        claims: GITLAB,
        challenge: "project_path:group/project:ref_type:branch:ref:main",
        unread: &["pipeline_id", "ref_type", "runner_id"],
        joined: &[],
    },
    Kind {
        name: "ci-codefresh",
        kind: "ci-provider",
        more: &["ci-provider: pub-codefresh-workflow"],
        claims: CODEFRESH,
        challenge: "account:628a80b693a15c0f9c13ab75:pipeline:p",
        unread: &[
            "initiator",
            "scm_user_name",
            "scm_pull_request_target_branch",
        ],
        joined: &[],
    },
    Kind {
        name: "ci-buildkite",
        kind: "ci-provider",
        more: &["ci-provider: pub-buildkite-job"],
        claims: BUILDKITE,
        challenge: "organization:acme:pipeline:pipe",
        unread: &[],
        joined: &[],
    },
    Kind {
        name: "ci-circleci",
        kind: "ci-provider",
        more: &["ci-provider: pub-circleci-job"],
        claims: r#"{"sub": "org/o/project/p/user/u", "oidc.circleci.com/project-id": "p",
            "oidc.circleci.com/pipeline-definition-id": "d",
            "oidc.circleci.com/pipeline-id": "i", "oidc.circleci.com/workflow-id": "w",
            "oidc.circleci.com/job-id": "j", "oidc.circleci.com/ssh-rerun": true,
            "oidc.circleci.com/vcs-ref": "r", "oidc.circleci.com/vcs-origin": "o"}"#,
        challenge: "org/o/project/p/user/u",
        unread: &["oidc.circleci.com/ssh-rerun"],
        joined: &[],
    },
    Kind {
        name: "ci-buddy",
        kind: "ci-provider",
        more: &["ci-provider: pub-buddy-pipeline"],
        claims: r#"{"sub": "w/p", "workspace_domain": "w", "project_name": "p", "pipeline": "pl",
            "pipeline_id": 4, "triggered_on": "PUSH", "runner_environment": "r",
            "execution_id": 3, "revision": "abc", "ref": "main"}"#,
        challenge: "w/p",
        unread: &["pipeline"],
        joined: &[],
    },
    Kind {
        name: "ci-name-is-a-claim",
        kind: "ci-provider",
        more: &["ci-provider: claim"],
        claims: r#"{"sub": "s", "claim": "https://example.com/a"}"#,
        challenge: "s",
        unread: &[],
        joined: &[],
    },
    Kind {
        name: "ci-name-ends-in-a-claim",
        kind: "ci-provider",
        more: &["ci-provider: tmpl"],
        claims: r#"{"sub": "s", "claim": "a"}"#,
        challenge: "s",
        unread: &[],
        joined: &[],
    },
    Kind {
        name: "ci-name-is-a-template",
        kind: "ci-provider",
        more: &["ci-provider: raw"],
        claims: r#"{"sub": "s", "claim": "https://example.com/a"}"#,
        challenge: "s",
        unread: &[],
        joined: &[],
    },
    Kind {
        name: "ci-all-forms",
        kind: "ci-provider",
        more: &["ci-provider: ext"],
        claims: r#"{"sub": "s", "claim": "a"}"#,
        challenge: "s",
        unread: &[],
        joined: &[],
    },
];
