//! Derive macros for object payloads: `Trace` (what the collector walks) and `Payload` (which type object a Rust struct
//! belongs to). The traits are unsafe and the crates that define payloads forbid unsafe code; the impls are written by
//! `impl_trace!` and `impl_payload!` of `krait_object`, to which these macros hand the fields and the class.
#![forbid(unsafe_code)]

use proc_macro::TokenStream;
use quote::quote;
use syn::{Data, DeriveInput, Fields, parse_macro_input};

/// Derives `krait_object::Trace`: visits every field in order. Fields marked `#[trace(skip)]` hold no Python values.
#[proc_macro_derive(Trace, attributes(trace))]
pub fn derive_trace(input: TokenStream) -> TokenStream {
    let input = parse_macro_input!(input as DeriveInput);
    let name = &input.ident;
    let (generics, type_generics, clause) = input.generics.split_for_impl();
    let body = match &input.data {
        Data::Struct(data) => {
            let visits =
                data.fields.iter().enumerate().filter(|(_, f)| !skipped(&f.attrs)).map(|(i, f)| match &f.ident {
                    Some(ident) => quote!(::krait_object::Trace::trace(&self.#ident, tracer);),
                    None => {
                        let index = syn::Index::from(i);
                        quote!(::krait_object::Trace::trace(&self.#index, tracer);)
                    }
                });
            quote!(#(#visits)*)
        }
        Data::Enum(data) => {
            let arms = data.variants.iter().map(|variant| {
                let ident = &variant.ident;
                match &variant.fields {
                    Fields::Unit => quote!(Self::#ident => {}),
                    Fields::Unnamed(fields) => {
                        let names: Vec<_> = (0..fields.unnamed.len()).map(|i| quote::format_ident!("f{i}")).collect();
                        quote!(Self::#ident(#(#names),*) => { #(::krait_object::Trace::trace(#names, tracer);)* })
                    }
                    Fields::Named(fields) => {
                        let names: Vec<_> = fields.named.iter().map(|f| &f.ident).collect();
                        quote!(Self::#ident { #(#names),* } => { #(::krait_object::Trace::trace(#names, tracer);)* })
                    }
                }
            });
            quote!(match self { #(#arms)* })
        }
        Data::Union(_) => return quote!(compile_error!("Trace cannot be derived for a union");).into(),
    };
    // A struct of skipped fields only can hold no reference: its objects are not tracked.
    let traced = match &input.data {
        Data::Struct(data) => data.fields.is_empty() || data.fields.iter().any(|f| !skipped(&f.attrs)),
        _ => true,
    };
    quote! {
        ::krait_object::impl_trace! { [#generics] [#name #type_generics] [#clause] #traced self tracer { #body } }
    }
    .into()
}

/// Derives `krait_object::Payload` from `#[payload(class = PATH)]`, the static type object of the struct. With
/// `#[payload(class = PATH, extends = Base)]` the struct must be `repr(C)` with `Base` as its first field.
#[proc_macro_derive(Payload, attributes(payload))]
pub fn derive_payload(input: TokenStream) -> TokenStream {
    let input = parse_macro_input!(input as DeriveInput);
    let name = &input.ident;
    let mut class: Option<syn::Path> = None;
    let mut extends: Option<syn::Path> = None;
    for attr in input.attrs.iter().filter(|a| a.path().is_ident("payload")) {
        let parsed = attr.parse_nested_meta(|meta| {
            if meta.path.is_ident("class") {
                class = Some(meta.value()?.parse()?);
            } else if meta.path.is_ident("extends") {
                extends = Some(meta.value()?.parse()?);
            }
            Ok(())
        });
        if let Err(error) = parsed {
            return error.to_compile_error().into();
        }
    }
    let Some(class) = class else {
        return quote!(compile_error!("#[payload(class = …)] is missing");).into();
    };
    let check = extends.map(|base| {
        let first = match &input.data {
            Data::Struct(data) => data.fields.iter().next().and_then(|f| f.ident.clone()),
            _ => None,
        };
        quote! {
            const _: () = {
                assert!(::core::mem::offset_of!(#name, #first) == 0);
                fn first_field_is_the_base(value: &#name) -> &#base { &value.#first }
                let _ = first_field_is_the_base;
            };
        }
    });
    quote! {
        #check
        ::krait_object::impl_payload! { #name #class }
    }
    .into()
}

fn skipped(attrs: &[syn::Attribute]) -> bool {
    attrs.iter().any(|a| a.path().is_ident("trace"))
}
