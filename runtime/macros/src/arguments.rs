//! What can be written in the parentheses of an attribute.

use proc_macro2::Span;
use syn::ext::IdentExt;
use syn::parse::{Parse, ParseStream, Parser};
use syn::punctuated::Punctuated;
use syn::spanned::Spanned;
use syn::{Error, Ident, Lit, LitStr, Path, Token};

/// The names of all of them, for messages.
const KNOWN: &str = "`flavor`, `worker_threads`, `start_paused`, `stealing`, `crate`, `name`";

/// Which kind of runtime.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Flavor {
    CurrentThread,
    MultiThread,
}

/// The arguments, checked against each other.
pub(crate) struct Arguments {
    pub(crate) flavor: Flavor,
    pub(crate) worker_threads: Option<usize>,
    pub(crate) start_paused: Option<bool>,
    pub(crate) stealing: Option<bool>,
    pub(crate) name: Option<LitStr>,
    /// Where henge is.
    pub(crate) henge: Path,
}

/// One of them: a name and what it is set to.
struct Argument {
    name: Ident,
    value: Lit,
}

impl Parse for Argument {
    fn parse(input: ParseStream<'_>) -> syn::Result<Argument> {
        // `crate` is a keyword, and a name here.
        let name = input.call(Ident::parse_any)?;
        if !input.peek(Token![=]) {
            let text = format!("Unknown attribute {name} is specified; expected one of: {KNOWN}");
            return Err(Error::new(name.span(), text));
        }
        input.parse::<Token![=]>()?;
        if name == "crate" && !input.peek(LitStr) {
            let path: Path = input.call(Path::parse_mod_style)?;
            let text = quote::ToTokens::to_token_stream(&path).to_string();
            return Ok(Argument { name, value: Lit::Str(LitStr::new(&text, path.span())) });
        }
        Ok(Argument { name, value: input.parse()? })
    }
}

impl Arguments {
    pub(crate) fn parse(
        tokens: proc_macro2::TokenStream,
        default: Flavor,
    ) -> syn::Result<Arguments> {
        let list = Punctuated::<Argument, Token![,]>::parse_terminated.parse2(tokens)?;
        let mut arguments = Arguments {
            flavor: default,
            worker_threads: None,
            start_paused: None,
            stealing: None,
            name: None,
            henge: Path::from(Ident::new("henge", Span::call_site())),
        };
        let mut seen: Vec<String> = Vec::new();
        for Argument { name, value } in &list {
            let text = name.to_string();
            if seen.contains(&text) {
                return Err(Error::new(name.span(), format!("`{text}` set multiple times.")));
            }
            match (&*text, value) {
                ("flavor", value) => arguments.flavor = flavor(value)?,
                ("worker_threads", Lit::Int(value)) => {
                    arguments.worker_threads = Some(match value.base10_parse()? {
                        0 => {
                            return Err(Error::new(value.span(), "`worker_threads` may not be 0."));
                        }
                        threads => threads,
                    });
                }
                ("start_paused", Lit::Bool(value)) => arguments.start_paused = Some(value.value),
                ("stealing", Lit::Bool(value)) => arguments.stealing = Some(value.value),
                ("name", Lit::Str(value)) => arguments.name = Some(value.clone()),
                ("crate", Lit::Str(value)) => {
                    arguments.henge = value.parse_with(Path::parse_mod_style)?;
                }
                ("worker_threads" | "start_paused" | "stealing" | "crate" | "name", value) => {
                    let text = format!("Failed to parse value of `{text}`");
                    return Err(Error::new(value.span(), text));
                }
                _ => {
                    let text =
                        format!("Unknown attribute {text} is specified; expected one of: {KNOWN}");
                    return Err(Error::new(name.span(), text));
                }
            }
            seen.push(text);
        }
        let span = list.first().map_or_else(Span::call_site, |first| first.name.span());
        arguments.check(span)?;
        Ok(arguments)
    }

    fn check(&self, span: Span) -> syn::Result<()> {
        if self.flavor == Flavor::CurrentThread && self.worker_threads.is_some() {
            let text = "The `worker_threads` option requires the `multi_thread` runtime flavor.";
            return Err(Error::new(span, text));
        }
        if self.flavor == Flavor::CurrentThread && self.stealing.is_some() {
            let text = "The `stealing` option requires the `multi_thread` runtime flavor.";
            return Err(Error::new(span, text));
        }
        if self.flavor == Flavor::MultiThread && self.start_paused.is_some() {
            let text = "The `start_paused` option requires the `current_thread` runtime flavor.";
            return Err(Error::new(span, text));
        }
        Ok(())
    }
}

fn flavor(value: &Lit) -> syn::Result<Flavor> {
    let Lit::Str(text) = value else {
        return Err(Error::new(value.span(), "Failed to parse value of `flavor` as string."));
    };
    match &*text.value() {
        // Tasks never leave their thread, so tokio's `local` is the same.
        "current_thread" | "local" => Ok(Flavor::CurrentThread),
        "multi_thread" => Ok(Flavor::MultiThread),
        other => {
            let text = format!(
                "No such runtime flavor `{other}`. The runtime flavors are `current_thread`, \
                 `local`, and `multi_thread`."
            );
            Err(Error::new(value.span(), text))
        }
    }
}
