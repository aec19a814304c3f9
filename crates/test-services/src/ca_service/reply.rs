use std::time::Duration;

/// What the double does with a request.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum Reply {
    /// Never answers.
    Hang,
    /// Closes the connection.
    HangUp,
    /// Issues a certificate with something wrong.
    Issue(Fault),
    /// Does what is right, and closes the connection instead of answering.
    Lose,
    /// Refuses as Google does: with a status of HTTP, the name of the code, and a message.
    Refuse(u16, &'static str, String),
    /// What is right.
    Right,
    /// Answers with a status and a body.
    Say(u16, String),
    /// Does what is right, after a while.
    Wait(Duration),
}

/// What is wrong with a certificate that the double issues.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Fault {
    /// It began so many seconds ago, and ends that much earlier.
    Backdated(u64),
    /// The first extension that was asked for says something else.
    ChangedExtension,
    /// The first extension that was asked for is critical.
    CriticalExtension,
    /// It ended a second after it began.
    Ended,
    /// It has a critical extension that nobody asked for.
    ExtraCritical,
    /// It has an extension of Fulcio's that nobody asked for, 1.3.6.1.4.1.57264.1.21.
    ExtraFulcio,
    /// It lives for an hour longer.
    Longer,
    /// The first extension that was asked for is missing.
    MissingExtension,
    /// Nothing is said of the chain.
    NoChain,
    /// It is for another key.
    OtherKey,
    /// It names somebody else.
    OtherName,
    /// The chain is that of an authority that nobody knows, which has issued it.
    OtherPool,
    /// The signature is not by the authority.
    OtherSignature,
    /// It is for e-mail, and not for code.
    OtherUsage,
    /// It has a subject.
    Subject,
    /// It is an authority itself.
    Authority,
}
