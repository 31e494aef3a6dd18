//! Programs of the user: an argument list without a shell, their own environment, and bounded output.
//!
//! A program and everything it starts form a group, which is killed when the program ends, when its result is no longer
//! awaited, and when akit ends.

use std::collections::VecDeque;
use std::io::{self, BufRead, BufReader, Read, Write};
use std::process::{Child, ChildStdin, ChildStdout, Command, ExitStatus, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, TryRecvError};
use std::sync::{Arc, Mutex, PoisonError, Weak, mpsc};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use crate::source::plain;

/// Maximum number of bytes read from a program's output.
const MOST: u64 = 32 * 1024 * 1024;

/// Number of bytes kept from the end of its error output.
const KEPT: usize = 8 * 1024;

/// Variables that every program gets.
pub const USUAL: &[&str] =
    if cfg!(windows) { &["PATH", "HOME", "USERPROFILE", "SystemRoot"] } else { &["PATH", "HOME"] };

/// Raises the number of files that this process may have open at once, as far as the system allows, and returns that
/// number.
#[must_use]
#[cfg(target_os = "linux")]
pub fn allow_files(wanted: u64) -> u64 {
    use nix::sys::resource::{Resource, getrlimit, setrlimit};
    let Ok((soft, hard)) = getrlimit(Resource::RLIMIT_NOFILE) else { return wanted };
    let raised = wanted.min(hard).max(soft);
    match setrlimit(Resource::RLIMIT_NOFILE, raised, hard) {
        Ok(()) => raised,
        Err(_) => soft,
    }
}

/// On other systems nothing is raised: returns what was asked for.
#[must_use]
#[cfg(not(target_os = "linux"))]
pub fn allow_files(wanted: u64) -> u64 {
    wanted
}

/// A program that can be started.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Program {
    /// The program and its arguments; at least one item.
    pub command: Vec<String>,
    /// Its whole environment.
    pub environment: Vec<(String, String)>,
}

/// Why a program has no result.
#[derive(Debug, thiserror::Error)]
pub enum ProcessError {
    /// It could not be started.
    #[error("cannot start it: {}", plain(.0))]
    Start(io::Error),
    /// It could not be read from.
    #[error("cannot read its output: {}", plain(.0))]
    Read(io::Error),
    /// It printed more than the maximum.
    #[error("it printed more than {} MiB", MOST >> 20)]
    TooLong,
    /// It took too long.
    #[error("it did not end within {} s", .0.as_secs())]
    Late(Duration),
}

/// The result of a program.
#[derive(Debug)]
pub struct Ended {
    /// How it ended.
    pub status: ExitStatus,
    /// What it printed.
    pub stdout: Vec<u8>,
    /// The end of its error output.
    pub stderr: String,
}

/// A group of processes that is killed when this is dropped, unless it has ended.
#[derive(Debug)]
struct Group {
    leader: u32,
    has_ended: AtomicBool,
}

static RUNNING: Mutex<Vec<Weak<Group>>> = Mutex::new(Vec::new());

/// Kills everything that was started and still runs, before akit ends.
pub fn end_all() {
    for group in RUNNING.lock().unwrap_or_else(PoisonError::into_inner).iter().filter_map(Weak::upgrade) {
        group.end();
    }
}

impl Group {
    /// A group that is killed with akit.
    fn of(leader: u32) -> Arc<Self> {
        let group = Arc::new(Self { leader, has_ended: AtomicBool::new(false) });
        let mut running = RUNNING.lock().unwrap_or_else(PoisonError::into_inner);
        running.retain(|group| group.strong_count() > 0);
        running.push(Arc::downgrade(&group));
        group
    }

    /// Kills the group.
    fn end(&self) {
        if !self.has_ended.swap(true, Ordering::SeqCst) {
            kill(self.leader);
        }
    }
}

impl Drop for Group {
    fn drop(&mut self) {
        self.end();
    }
}

/// Kills a group when it is dropped, because its result is no longer awaited.
#[derive(Debug)]
pub struct Watch(Option<Arc<Group>>);

impl Watch {
    /// Lets the group keep running.
    pub fn release(mut self) {
        self.0 = None;
    }
}

impl Drop for Watch {
    fn drop(&mut self) {
        if let Some(group) = self.0.take() {
            group.end();
        }
    }
}

#[cfg(unix)]
fn kill(leader: u32) {
    use nix::sys::signal::{Signal, killpg};
    if let Ok(group) = i32::try_from(leader) {
        // A group that is gone needs no kill.
        let _ = killpg(nix::unistd::Pid::from_raw(group), Signal::SIGKILL);
    }
}

#[cfg(not(unix))]
fn kill(leader: u32) {
    let _ = Command::new("taskkill")
        .args(["/T", "/F", "/PID", &leader.to_string()])
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status();
}

/// What a program did between two lines.
#[derive(Debug)]
pub enum Meanwhile {
    /// It waited.
    Waited,
    /// It printed this.
    Spoke(Vec<u8>),
    /// It ended.
    Ended,
}

/// A running program.
#[derive(Debug)]
pub struct Running {
    child: Child,
    stdin: Option<ChildStdin>,
    stdout: Option<BufReader<ChildStdout>>,
    /// Its lines, once it is asked for one.
    lines: Option<Receiver<io::Result<Line>>>,
    /// Whether more output came with its last line.
    is_ahead: bool,
    complaints: Arc<Mutex<VecDeque<u8>>>,
    listening: Option<JoinHandle<()>>,
    group: Arc<Group>,
}

impl Program {
    /// Its name, for people.
    #[must_use]
    pub fn name(&self) -> &str {
        self.command.first().map_or("", String::as_str)
    }

    /// Starts it.
    ///
    /// # Errors
    /// If there is no such program, or it may not be started.
    pub fn start(&self) -> Result<Running, ProcessError> {
        let mut command = Command::new(self.name());
        command.args(self.command.iter().skip(1)).env_clear().envs(self.environment.iter().cloned());
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        #[cfg(unix)]
        std::os::unix::process::CommandExt::process_group(&mut command, 0);
        let mut child = command.spawn().map_err(ProcessError::Start)?;
        let group = Group::of(child.id());
        let gone = || ProcessError::Start(io::Error::other("it has no output"));
        let (stdin, stdout) = (child.stdin.take(), child.stdout.take().ok_or_else(gone)?);
        let mut stderr = child.stderr.take().ok_or_else(gone)?;
        let complaints = Arc::new(Mutex::new(VecDeque::new()));
        let kept = Arc::clone(&complaints);
        let listening = thread::spawn(move || {
            let mut part = [0; 4096];
            while let Ok(read @ 1..) = stderr.read(&mut part) {
                let mut kept = kept.lock().unwrap_or_else(PoisonError::into_inner);
                kept.extend(&part[..read]);
                let surplus = kept.len().saturating_sub(KEPT);
                kept.drain(..surplus);
            }
        });
        Ok(Running {
            child,
            stdin,
            stdout: Some(BufReader::new(stdout)),
            lines: None,
            is_ahead: false,
            complaints,
            listening: Some(listening),
            group,
        })
    }

    /// Runs it to its end, up to a time limit.
    ///
    /// # Errors
    /// If it cannot be started or read, prints too much or takes too long.
    pub fn run(&self, longest: Duration) -> Result<Ended, ProcessError> {
        let running = self.start()?;
        let (_watch, (done, result)) = (running.watch(), mpsc::channel());
        thread::spawn(move || done.send(running.finish(Vec::new())));
        let ended = result.recv_timeout(longest);
        ended.unwrap_or(Err(ProcessError::Late(longest)))
    }
}

impl Running {
    /// Kills its group when the result is dropped.
    #[must_use]
    pub fn watch(&self) -> Watch {
        Watch(Some(Arc::clone(&self.group)))
    }

    /// Sends its input and waits for its end. Blocks.
    ///
    /// # Errors
    /// If it cannot be read, or prints too much.
    pub fn finish(mut self, input: Vec<u8>) -> Result<Ended, ProcessError> {
        if let Some(mut stdin) = self.stdin.take() {
            // A program that does not read its input does not fail.
            thread::spawn(move || stdin.write_all(&input));
        }
        let (output, group) = (self.stdout, Arc::clone(&self.group));
        let reading = thread::spawn(move || {
            let mut stdout = Vec::new();
            let read = output.map_or(Ok(0), |output| output.take(MOST + 1).read_to_end(&mut stdout));
            if stdout.len() as u64 > MOST {
                group.end();
            }
            read.map(|_| stdout)
        });
        await_end(&mut self.child);
        // What it leaves running would keep its output open.
        self.group.end();
        let status = self.child.wait().map_err(ProcessError::Read)?;
        let broken = || io::Error::other("the reading failed");
        let stdout = reading.join().map_err(|_| ProcessError::Read(broken()))?.map_err(ProcessError::Read)?;
        if stdout.len() as u64 > MOST {
            return Err(ProcessError::TooLong);
        }
        if let Some(listening) = self.listening.take() {
            // The thread ends with the group.
            drop(listening.join());
        }
        let kept: Vec<u8> =
            self.complaints.lock().unwrap_or_else(PoisonError::into_inner).iter().copied().collect();
        Ok(Ended { status, stdout, stderr: String::from_utf8_lossy(&kept).into_owned() })
    }

    /// Sends a line and reads one, which is empty if it has ended. Blocks.
    ///
    /// # Errors
    /// If it cannot be read, or prints too much.
    pub fn exchange(&mut self, line: &str) -> Result<Vec<u8>, ProcessError> {
        if let Some(stdin) = &mut self.stdin {
            // A program that has ended is noticed by its missing output.
            let _ = stdin.write_all(format!("{line}\n").as_bytes()).and_then(|()| stdin.flush());
        }
        if let Some(stdout) = self.stdout.take() {
            self.lines = Some(lines(stdout));
        }
        let line = self.lines.as_ref().and_then(|lines| lines.recv().ok());
        let (printed, is_ahead) = line.transpose().map_err(ProcessError::Read)?.unwrap_or_default();
        self.is_ahead = is_ahead;
        if printed.len() as u64 > MOST { Err(ProcessError::TooLong) } else { Ok(printed) }
    }

    /// What it did since its last line.
    #[must_use]
    pub fn meanwhile(&self) -> Meanwhile {
        match self.lines.as_ref().map(Receiver::try_recv) {
            Some(Ok(Ok((line, _)))) if !line.is_empty() => Meanwhile::Spoke(line),
            _ if self.is_ahead => Meanwhile::Spoke(Vec::new()),
            None | Some(Err(TryRecvError::Empty)) => Meanwhile::Waited,
            Some(Ok(_) | Err(TryRecvError::Disconnected)) => Meanwhile::Ended,
        }
    }
}

/// A line, and whether there is already more.
type Line = (Vec<u8>, bool);

/// The lines of an output as they come, without blank lines; an empty line marks the end.
fn lines(mut output: BufReader<ChildStdout>) -> Receiver<io::Result<Line>> {
    let (sender, lines) = mpsc::sync_channel(1);
    thread::spawn(move || {
        loop {
            let mut line = Vec::new();
            let read = output.by_ref().take(MOST + 1).read_until(b'\n', &mut line);
            let is_end = !matches!(read, Ok(1..));
            // Blank lines are ignored.
            if !is_end && line.trim_ascii().is_empty() {
                continue;
            }
            let is_ahead = output.buffer().iter().any(|byte| !byte.is_ascii_whitespace());
            if sender.send(read.map(|_| (line, is_ahead))).is_err() || is_end {
                return;
            }
        }
    });
    lines
}

/// Waits for a program to end. If possible, its process id stays reserved, so that only its own group can be killed.
fn await_end(child: &mut Child) {
    #[cfg(target_os = "linux")]
    {
        use nix::sys::wait::{Id, WaitPidFlag, waitid};
        let Ok(id) = i32::try_from(child.id()) else { return };
        let flags = WaitPidFlag::WEXITED | WaitPidFlag::WNOWAIT;
        while waitid(Id::Pid(nix::unistd::Pid::from_raw(id)), flags) == Err(nix::errno::Errno::EINTR) {}
    }
    #[cfg(not(target_os = "linux"))]
    drop(child.wait());
}
