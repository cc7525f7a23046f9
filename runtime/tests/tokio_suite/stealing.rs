//! A second reading of tests that run on several threads: `spawn` lets the task be stolen, and the
//! runtime steals. Only the text changes, after the crate was renamed.

/// The files that are read so: what they find out depends on who may run a task.
pub(crate) const FILES: [&str; 8] = [
    "rt_basic",
    "rt_common",
    "rt_handle_block_on",
    "rt_panic",
    "rt_threaded",
    "task_abort",
    "task_blocking",
    "time_rt",
];

/// What the changed text calls: a stealable task of a runtime that the caller need not run on.
pub(crate) const SPAWN: &str = r#"
trait Enter {
    fn entered(&self) -> henge::runtime::EnterGuard<'_>;
}

impl Enter for henge::runtime::Runtime {
    fn entered(&self) -> henge::runtime::EnterGuard<'_> {
        self.enter()
    }
}

impl Enter for std::sync::Arc<henge::runtime::Runtime> {
    fn entered(&self) -> henge::runtime::EnterGuard<'_> {
        self.enter()
    }
}

impl Enter for henge::runtime::Handle {
    fn entered(&self) -> henge::runtime::EnterGuard<'_> {
        self.enter()
    }
}

#[track_caller]
fn spawn_on<F>(runtime: &impl Enter, future: F) -> henge::task::JoinHandle<F::Output>
where
    F: std::future::Future + Send + 'static,
    F::Output: Send + 'static,
{
    let _entered = runtime.entered();
    henge::steal::spawn(future)
}
"#;

const CHANGES: [(&str, &str); 8] = [
    ("henge::spawn(", "henge::steal::spawn("),
    (" task::spawn(", " henge::steal::spawn("),
    ("(task::spawn(", "(henge::steal::spawn("),
    ("Builder::new_multi_thread()", "Builder::new_multi_thread().stealing(true)"),
    (" henge::runtime::Runtime::new()", " runtime::Runtime::new()"),
    (
        " runtime::Runtime::new()",
        " henge::runtime::Builder::new_multi_thread().stealing(true).worker_threads(4).build()",
    ),
    ("flavor = \"multi_thread\"", "flavor = \"multi_thread\", stealing = true"),
    ("#[henge::main]", "#[henge::main(stealing = true)]"),
];
/// What the tests call a runtime or a handle.
const RUNTIMES: [&str; 4] = ["rt", "rt1", "rt2", "handle"];

/// `text`, whose crate is renamed already, with tasks that may be stolen.
pub(crate) fn read(text: &str) -> String {
    let text = CHANGES.iter().fold(text.to_owned(), |text, (from, to)| text.replace(from, to));
    RUNTIMES.iter().fold(text, |text, name| {
        let from = format!(" {name}.spawn(");
        text.replace(&from, &format!(" crate::spawn_on(&{name}, "))
    })
}

#[test]
fn spawning_is_read_as_stealing() {
    let text = "let rt = runtime::Runtime::new(); rt.spawn(a); tokio_test::task::spawn(b); \
                henge::spawn(c); set.spawn(d); x(task::spawn(e)); thread::spawn(f); \
                #[henge::test(flavor = \"multi_thread\")]";
    let expected = "let rt = henge::runtime::Builder::new_multi_thread().stealing(true)\
                    .worker_threads(4).build(); crate::spawn_on(&rt, a); \
                    tokio_test::task::spawn(b); henge::steal::spawn(c); set.spawn(d); \
                    x(henge::steal::spawn(e)); thread::spawn(f); \
                    #[henge::test(flavor = \"multi_thread\", stealing = true)]";
    assert_eq!(read(text), expected);
}
