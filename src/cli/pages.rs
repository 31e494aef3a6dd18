//! `akit completions`, `akit man` and `akit schema`: files for shells, `man` and editors.

use std::path::PathBuf;

use clap::{Args, Command};
use clap_complete::Shell;
use clap_mangen::Man;

use super::{Status, terminal};
use crate::source::{Pending, slashed};

#[derive(Debug, Args)]
pub(super) struct CompletionsArgs {
    /// Shell
    shell: Shell,
}

#[derive(Debug, Args)]
pub(super) struct ManArgs {
    /// Folder to write the pages of all commands to [default: print the first page]
    #[arg(long, value_name = "DIR")]
    out: Option<PathBuf>,
}

pub(super) fn completions(args: &CompletionsArgs) -> Status {
    let mut script = Vec::new();
    clap_complete::generate(args.shell, &mut super::command(), "akit", &mut script);
    Status::of_product(&String::from_utf8_lossy(&script))
}

pub(super) fn man(args: &ManArgs) -> Status {
    let mut whole = super::command().disable_help_subcommand(true);
    whole.build();
    let Some(folder) = &args.out else {
        return Status::of_product(&page(&whole));
    };
    let mut open = vec![whole];
    let mut count = 0;
    while let Some(command) = open.pop() {
        // Built commands have full names, as in `akit-baseline-show`.
        let name = command.get_display_name().unwrap_or_else(|| command.get_name());
        let path = folder.join(format!("{name}.1"));
        let written = Pending::open(&path).and_then(|file| file.write(page(&command).as_bytes()));
        if let Err(error) = written {
            let what = format!("cannot write `{}`: {}", slashed(&path), terminal::system(&error));
            return Status::Invalid.because(&what, "choose another folder");
        }
        count += 1;
        let below = command.get_subcommands().filter(|below| !below.is_hide_set());
        open.extend(below.cloned());
    }
    terminal::say(&format!("{} in {}", crate::text::count(count, "page"), slashed(folder)));
    Status::Passed
}

fn page(command: &Command) -> String {
    let mut text = Vec::new();
    // Writing into memory cannot fail.
    let _ = Man::new(command.clone()).render(&mut text);
    String::from_utf8_lossy(&text).into_owned()
}

pub(super) fn schema() -> Status {
    Status::of_product(&format!("{:#}", crate::scenario::schema()))
}
