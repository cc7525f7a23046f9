//! From an async function to a plain one with a runtime inside.

use proc_macro2::{TokenStream, TokenTree};
use quote::{format_ident, quote};
use syn::{Block, Error, FnArg, Ident, ItemFn, Pat, ReturnType, Visibility};

use crate::arguments::{Arguments, Flavor};

/// Which attribute it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Main,
    Test,
}

/// The function, or the item as it was and a compile error: so editors go on understanding it.
pub(crate) fn expand(kind: Kind, arguments: TokenStream, item: TokenStream) -> TokenStream {
    let function: ItemFn = match syn::parse2(item.clone()) {
        Ok(function) => function,
        Err(error) => return with_error(item, &error),
    };
    match expand_function(kind, arguments, function) {
        Ok(tokens) => tokens,
        Err(error) => with_error(item, &error),
    }
}

fn with_error(item: TokenStream, error: &Error) -> TokenStream {
    let error = error.to_compile_error();
    quote! { #item #error }
}

fn expand_function(
    kind: Kind,
    arguments: TokenStream,
    mut function: ItemFn,
) -> syn::Result<TokenStream> {
    let is_main = kind == Kind::Main && function.sig.ident == "main";
    check(kind, is_main, &function)?;
    let default = if kind == Kind::Main { Flavor::MultiThread } else { Flavor::CurrentThread };
    let arguments = Arguments::parse(arguments, default)?;

    if function.sig.receiver().is_some() {
        return Ok(expand_method(kind, &arguments, function));
    }

    // The body becomes an async function of its own, so that its result has the type that was
    // written down.
    let mut inner = function.sig.clone();
    inner.ident = format_ident!("__henge_{}", function.sig.ident);
    let name = &inner.ident;
    let passed = parameters(&function)?;
    let made = quote! { #name(#(#passed),*) };

    let builder = builder(kind, &arguments);
    let runtime = quote! {
        #builder.build().expect("Failed building the Runtime")
    };
    // A result travels from shard 0 as an exit code, for it need not be `Send`. A test with
    // parameters is called by what another attribute makes of it, and a `main` that is `pub` by who
    // wants its result.
    let has_result = !matches!(function.sig.output, ReturnType::Default);
    let is_test = kind == Kind::Test && function.sig.inputs.is_empty();
    let is_private = matches!(function.vis, Visibility::Inherited);
    let as_code = has_result && (is_main && is_private || is_test);
    let run = match arguments.flavor {
        Flavor::CurrentThread => quote! { #runtime.block_on(#made) },
        Flavor::MultiThread if as_code => quote! {
            #runtime.run(move || async move {
                ::std::process::Termination::report(#made.await)
            })
        },
        // What borrows cannot be sent, and the compiler does not choose by lifetimes.
        Flavor::MultiThread if borrows(&function) => quote! { #runtime.block_on(#made) },
        Flavor::MultiThread => {
            let henge = &arguments.henge;
            quote! {{
                use #henge::runtime::{__Here as _, __OnShard as _};
                #henge::runtime::__Body::new(move || #made).run(&#runtime)
            }}
        }
    };
    if arguments.flavor == Flavor::MultiThread && as_code {
        function.sig.output = syn::parse_quote! { -> ::std::process::ExitCode };
    }
    function.sig.asyncness = None;

    let (attributes, visibility, signature) = (&function.attrs, &function.vis, &function.sig);
    let body = &function.block;
    let test = (kind == Kind::Test).then(|| quote! { #[::core::prelude::v1::test] });
    let head = quote! { #(#attributes)* #test #visibility #signature };
    Ok(function_of(head, body, quote! { #inner #body #run }))
}

/// A function with the braces that were written, so that lints take it for one that was written.
fn function_of(mut head: TokenStream, body: &Block, inside: TokenStream) -> TokenStream {
    body.brace_token.surround(&mut head, |tokens| tokens.extend(inside));
    head
}

/// A method knows `self`, which only a block inside of it does, too. That borrows from the caller's
/// frame, so it is polled on the calling thread.
fn expand_method(kind: Kind, arguments: &Arguments, mut function: ItemFn) -> TokenStream {
    let builder = builder(kind, arguments);
    let output = match &function.sig.output {
        ReturnType::Default => quote! { () },
        ReturnType::Type(_, output) => quote! { #output },
    };
    function.sig.asyncness = None;
    let (attributes, visibility, signature) = (&function.attrs, &function.vis, &function.sig);
    let body = &function.block;
    let test = (kind == Kind::Test).then(|| quote! { #[::core::prelude::v1::test] });
    let head = quote! { #(#attributes)* #test #visibility #signature };
    let inside = quote! {
        let body = async #body;
        // Tells the compiler the type of the result.
        #[allow(unreachable_code, clippy::diverging_sub_expression)]
        if false {
            let _: &dyn ::core::future::Future<Output = #output> = &body;
        }
        #builder.build().expect("Failed building the Runtime").block_on(body)
    };
    function_of(head, body, inside)
}

fn builder(kind: Kind, arguments: &Arguments) -> TokenStream {
    let henge = &arguments.henge;
    let constructor: Ident = match arguments.flavor {
        Flavor::CurrentThread => format_ident!("new_current_thread"),
        Flavor::MultiThread => format_ident!("new_multi_thread"),
    };
    let mut builder = quote! { #henge::runtime::Builder::#constructor().enable_all() };
    if let Some(threads) = arguments.worker_threads {
        builder.extend(quote! { .worker_threads(#threads) });
    }
    if let Some(paused) = arguments.start_paused {
        builder.extend(quote! { .start_paused(#paused) });
    }
    if let Some(stealing) = arguments.stealing {
        builder.extend(quote! { .stealing(#stealing) });
    }
    if let Some(name) = &arguments.name {
        builder.extend(quote! { .name(#name) });
    }
    if kind == Kind::Test {
        // Tests run beside each other: they would all be pinned to the same CPUs.
        builder.extend(quote! { .pinning(#henge::runtime::Pinning::None) });
    }
    builder
}

fn check(kind: Kind, is_main: bool, function: &ItemFn) -> syn::Result<()> {
    let signature = &function.sig;
    if signature.asyncness.is_none() {
        let text = "the `async` keyword is missing from the function declaration";
        return Err(Error::new_spanned(signature.fn_token, text));
    }
    if is_main && !signature.inputs.is_empty() {
        let text = "the main function cannot accept arguments";
        return Err(Error::new_spanned(&signature.inputs, text));
    }
    if kind == Kind::Test {
        let second = function.attrs.iter().find(|attribute| {
            // `test` by itself or by its full name; others that end in it wrap this one.
            let path: Vec<String> =
                attribute.path().segments.iter().map(|part| part.ident.to_string()).collect();
            let path: Vec<&str> = path.iter().map(String::as_str).collect();
            matches!(&path[..], ["test"] | ["core" | "std", "prelude", _, "test"])
        });
        if let Some(second) = second {
            let text = "second test attribute is supplied, consider removing or changing the \
                        order of your test attributes";
            return Err(Error::new_spanned(second, text));
        }
    }
    Ok(())
}

/// Whether a parameter may be borrowed, as far as can be seen: by a reference, a lifetime, or a
/// type that the caller chooses.
fn borrows(function: &ItemFn) -> bool {
    let inputs = &function.sig.inputs;
    !function.sig.generics.params.is_empty() || holds_borrow(quote! { #inputs })
}

fn holds_borrow(tokens: TokenStream) -> bool {
    let mut tokens = tokens.into_iter().peekable();
    while let Some(token) = tokens.next() {
        let found = match token {
            TokenTree::Group(group) => holds_borrow(group.stream()),
            TokenTree::Ident(word) => word == "impl",
            // `&'static` is a lifetime that does no harm.
            TokenTree::Punct(mark) if mark.as_char() == '&' => {
                !matches!(tokens.peek(), Some(TokenTree::Punct(next)) if next.as_char() == '\'')
            }
            TokenTree::Punct(mark) if mark.as_char() == '\'' => {
                !matches!(tokens.peek(), Some(TokenTree::Ident(name)) if name == "static")
            }
            TokenTree::Punct(_) | TokenTree::Literal(_) => false,
        };
        if found {
            return true;
        }
    }
    false
}

/// The names of the parameters, to be passed on.
fn parameters(function: &ItemFn) -> syn::Result<Vec<&Ident>> {
    let names = function.sig.inputs.iter().map(|input| match input {
        FnArg::Typed(typed) => match &*typed.pat {
            Pat::Ident(name) if name.by_ref.is_none() && name.subpat.is_none() => Ok(&name.ident),
            pattern => Err(Error::new_spanned(pattern, "a name is wanted here, not a pattern")),
        },
        FnArg::Receiver(receiver) => {
            Err(Error::new_spanned(receiver, "methods are expanded by `expand_method`"))
        }
    });
    names.collect()
}

/// For attributes below it, which make a test of each case.
#[test]
fn a_test_keeps_its_parameters() {
    let item = quote! { async fn parses(number: u32) -> Result<(), ()> { Ok(()) } };
    for arguments in [quote! {}, quote! { flavor = "multi_thread" }] {
        let function: ItemFn = syn::parse2(expand(Kind::Test, arguments, item.clone()))
            .expect("one function, and no error beside it");
        assert_eq!(function.sig.inputs.len(), 1);
        let output = &function.sig.output;
        assert_eq!(quote! { #output }.to_string(), quote! { -> Result<(), ()> }.to_string());
    }
}

#[test]
fn what_may_be_borrowed_is_seen() {
    let sees = |item| borrows(&syn::parse2(item).expect("a function"));
    assert!(sees(quote! { fn f(text: Option<&str>) {} }));
    assert!(sees(quote! { fn f(text: Text<'_>) {} }));
    assert!(sees(quote! { fn f(text: impl ToString) {} }));
    assert!(sees(quote! { fn f<T>(text: T) {} }));
    assert!(!sees(quote! { fn f(text: &'static str, texts: &'static [Text<'static>]) {} }));
    assert!(!sees(quote! { fn f(both: bool) -> Result<u8, Text> { a & b } }));
}
