//! A source that runs, and how it is stopped.

use std::future::Future;
use std::net::{SocketAddr, TcpListener};
use std::thread;
use std::time::Duration;

use tokio::runtime::Handle;
use tokio::sync::watch;
use tokio::task::JoinHandle;

/// How often it is looked whether a thread has ended.
const LOOK: Duration = Duration::from_millis(5);

/// A source that runs. Dropping it stops it, too, without waiting.
#[derive(Debug)]
pub struct Running {
    stop: watch::Sender<bool>,
    address: Option<SocketAddr>,
    work: Work,
}

#[derive(Debug)]
enum Work {
    Task(JoinHandle<()>),
    /// A thread; one that may be waiting for input for ever is left behind at the stop.
    Thread(thread::JoinHandle<()>),
}

impl Running {
    /// A source that listens.
    pub(crate) fn listening<F>(
        runtime: &Handle,
        listener: TcpListener,
        serve: impl FnOnce(TcpListener, watch::Receiver<bool>) -> F,
    ) -> Self
    where
        F: Future<Output = ()> + Send + 'static,
    {
        let address = listener.local_addr().ok();
        let (stop, stopping) = watch::channel(false);
        let work = Work::Task(runtime.spawn(serve(listener, stopping)));
        Self { stop, address, work }
    }

    /// A source with a thread of its own.
    pub(crate) fn thread(
        name: &str,
        address: Option<SocketAddr>,
        work: impl FnOnce(watch::Receiver<bool>) + Send + 'static,
    ) -> std::io::Result<Self> {
        let (stop, stopping) = watch::channel(false);
        let builder = thread::Builder::new().name(name.to_owned());
        let work = Work::Thread(builder.spawn(move || work(stopping))?);
        Ok(Self { stop, address, work })
    }

    /// Where it listens, if it does: with the port that the system chose for port 0.
    pub fn address(&self) -> Option<SocketAddr> {
        self.address
    }

    /// Whether it has ended, by itself or because it was stopped.
    pub fn is_finished(&self) -> bool {
        match &self.work {
            Work::Task(task) => task.is_finished(),
            Work::Thread(thread) => thread.is_finished(),
        }
    }

    /// Tells it to stop: nothing new is taken, what has come goes to the log, what becomes durable
    /// is still answered.
    pub fn begin_stop(&self) {
        self.stop.send_replace(true);
    }

    /// Stops it and waits at most `deadline`; true where it has ended in order.
    pub async fn stop(self, deadline: Duration) -> bool {
        self.begin_stop();
        match self.work {
            Work::Task(mut task) => {
                let ended = tokio::time::timeout(deadline, &mut task).await;
                task.abort();
                ended.is_ok_and(|joined| joined.is_ok())
            }
            Work::Thread(thread) => {
                let wait = async {
                    while !thread.is_finished() {
                        tokio::time::sleep(LOOK).await;
                    }
                };
                tokio::time::timeout(deadline, wait).await.is_ok()
            }
        }
    }
}
