//! `sekisho import`: certificates and the CA's lists, into the registry by its API.
//!
//! [`survey`] says what a file is and how it is written; [`certificates`] and [`list`] read it piece by piece, whatever its size, and hand on [`item::Found`]s;
//! [`api`] sends them, several at once; [`report`] counts and tells.

mod api;
mod certificates;
mod item;
mod lines;
mod list;
mod report;
mod run;
mod survey;

#[cfg(test)]
mod tests;

use std::path::PathBuf;
use std::process::ExitCode;

pub(super) use api::Wish;
use list::{Asked, Columns};
pub(super) use run::Access;

/// A file or an argument that can't be used (`EX_CONFIG` of sysexits).
const BAD_SETTINGS: u8 = 78;

/// Where an API is and what it takes, and where nothing goes at all.
const EXAMPLE: &str = "\
Examples:
  sekisho import --api http://127.0.0.1:9812 --token-file registrar.token \\
      --columns application=1,subject=4,mail=15,status=9 list.tsv
  sekisho import --api https://radius1.campus.example:9812 --ca door-ca.pem \\
      --token-file registrar.token --authority ca16 --columns serial=3 issued.csv members.pem old.p7b
  sekisho import --dry-run list.tsv

A list is UTF-8 or Shift_JIS, its columns parted by tabs or commas. A first line without a subject is
its header; it says where columns are that --columns doesn't name (主体者DN, 申請番号, …). Where that
doesn't either, `import-columns` of the server's configuration does (with --dry-run: subject=4,mail=15).
Words for status: 新規申請中, 新規申請PIN取得済, 有効, 失効申請中, 失効済, 期限切れ, or those of the API.

Exit code: 0 all are registered; 1 a line was refused, or not all could be sent; 78 a file or URL can't be used.";

/// Register certificates and the CA's lists by the API: PEM bundles, DER, PKCS#7 (certificates only), CSV, TSV
#[derive(clap::Args)]
#[command(after_help = EXAMPLE)]
pub(crate) struct Args {
    /// Where the API is: http (on loopback only) or https, host and port
    #[arg(long, value_name = "URL", required_unless_present = "dry_run")]
    api: Option<String>,
    /// A file whose first line is a token with the role `registrar`
    #[arg(long, value_name = "FILE", required_unless_present = "dry_run")]
    token_file: Option<PathBuf>,
    /// Authorities that the API's certificate may come from, in PEM; without it those that the system trusts
    #[arg(long, value_name = "FILE")]
    ca: Option<PathBuf>,
    /// Columns of lists, from 1 on, 0 = not there: application, subject, mail, serial, authority, status; those not named are as the header says, else as the server's `import-columns` do
    #[arg(long, value_name = "NAME=N,…", default_value = "")]
    columns: Columns,
    /// The [[authority]] that the serials of lists belong to, where no column says it
    #[arg(long, value_name = "NAME")]
    authority: Option<String>,
    /// The serials of lists are decimal, not hexadecimal
    #[arg(long)]
    decimal_serials: bool,
    /// Requests under way at a time
    #[arg(long, value_name = "N", default_value_t = 4, value_parser = clap::value_parser!(u8).range(1..=32))]
    concurrency: u8,
    /// Read and tell, send nothing
    #[arg(long)]
    dry_run: bool,
    /// One JSON object for each line that was refused (with --dry-run: for each line), and one at the end
    #[arg(long)]
    json: bool,
    /// What to import
    #[arg(value_name = "LIST", required = true)]
    lists: Vec<PathBuf>,
}

impl Args {
    fn asked(&self, otherwise: &Columns) -> Asked {
        Asked {
            columns: self.columns.clone(),
            otherwise: otherwise.clone(),
            authority: self.authority.clone(),
            decimal_serials: self.decimal_serials,
        }
    }
}

/// Runs the command.
pub(crate) fn run(args: &Args) -> ExitCode {
    match run::import(args) {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("sekisho import: {}", crate::observe::visible(&error));
            ExitCode::from(BAD_SETTINGS)
        }
    }
}
