//! Tables for spreadsheets (RFC 4180), which must not take what somebody called himself for a formula.

use std::pin::Pin;
use std::task::{Context, Poll};

use axum::body::{Body, Bytes, HttpBody};
use axum::http::{HeaderMap, header};
use axum::response::{IntoResponse, Response};
use hyper::body::Frame;
use tokio::sync::mpsc;

/// Octets that are gathered before they are sent.
const PIECE: usize = 16 << 10;
/// Pieces that may wait for a slow reader.
const PIECES: usize = 4;

/// Whether `Accept` prefers CSV to JSON: `text/csv` is named, and nothing that is JSON stands before it.
pub(super) fn is_wanted(headers: &HeaderMap) -> bool {
    let accept = headers.get_all(header::ACCEPT).iter().filter_map(|value| value.to_str().ok());
    let kinds = accept.flat_map(|value| value.split(',')).map(|kind| kind.split(';').next().unwrap_or_default().trim());
    kinds.into_iter().find(|kind| matches!(*kind, "text/csv" | "application/json" | "*/*")) == Some("text/csv")
}

/// One line of a table.
pub(super) fn line<'a>(fields: impl IntoIterator<Item = &'a str>) -> String {
    let mut line = String::new();
    for (index, field) in fields.into_iter().enumerate() {
        if index > 0 {
            line.push(',');
        }
        write_field(&mut line, field);
    }
    line.push_str("\r\n");
    line
}

fn write_field(line: &mut String, field: &str) {
    let escape = if begins_formula(field) { "'" } else { "" };
    if field.contains(['"', ',', '\r', '\n']) || field.starts_with(' ') || field.ends_with(' ') {
        line.extend(["\"", escape, &field.replace('"', "\"\""), "\""]);
    } else {
        line.extend([escape, field]);
    }
}

/// The full-width ones are formulas too to a spreadsheet that was set up in Japanese.
fn begins_formula(field: &str) -> bool {
    field.starts_with(['=', '+', '-', '@', '\t', '\r', '\n', '＝', '＋', '－', '＠'])
}

/// A table that is there.
pub(super) fn table(columns: &[&str], rows: impl IntoIterator<Item = Vec<String>>) -> Response {
    let mut text = line(columns.iter().copied());
    for row in rows {
        text.push_str(&line(row.iter().map(String::as_str)));
    }
    respond(Body::from(text))
}

/// A table that is sent while it is made: who makes it writes, and waits for a slow reader. Its columns stand in it already.
pub(super) fn stream(columns: &[&str]) -> (Writer, Response) {
    let (pieces, received) = mpsc::channel(PIECES);
    let writer = Writer { gathered: line(columns.iter().copied()), pieces };
    (writer, respond(Body::new(Pieces(received))))
}

fn respond(body: Body) -> Response {
    ([(header::CONTENT_TYPE, "text/csv; charset=utf-8; header=present")], body).into_response()
}

/// Writes a table that is sent meanwhile. Dropped without [`Writer::end`], the table is cut off, and whoever reads can tell.
#[derive(Debug)]
pub(super) struct Writer {
    gathered: String,
    pieces: mpsc::Sender<Piece>,
}

#[derive(Debug)]
enum Piece {
    Rows(Bytes),
    End,
}

/// Nobody reads any more, or the table was not finished.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct CutOff;

impl std::fmt::Display for CutOff {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("the table was cut off")
    }
}

impl std::error::Error for CutOff {}

impl Writer {
    /// One more row; an error: nobody reads any more.
    pub(super) async fn row<'a>(&mut self, fields: impl IntoIterator<Item = &'a str>) -> Result<(), CutOff> {
        self.gathered.push_str(&line(fields));
        if self.gathered.len() < PIECE { Ok(()) } else { self.send().await }
    }

    /// The table is whole.
    pub(super) async fn end(mut self) -> Result<(), CutOff> {
        self.send().await?;
        self.pieces.send(Piece::End).await.map_err(|_| CutOff)
    }

    async fn send(&mut self) -> Result<(), CutOff> {
        let rows = Bytes::from(std::mem::take(&mut self.gathered));
        self.pieces.send(Piece::Rows(rows)).await.map_err(|_| CutOff)
    }
}

/// What has been written, as it comes.
struct Pieces(mpsc::Receiver<Piece>);

impl HttpBody for Pieces {
    type Data = Bytes;
    type Error = CutOff;

    fn poll_frame(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, CutOff>>> {
        self.0.poll_recv(context).map(|piece| match piece {
            Some(Piece::Rows(rows)) => Some(Ok(Frame::data(rows))),
            Some(Piece::End) => None,
            None => Some(Err(CutOff)),
        })
    }
}
