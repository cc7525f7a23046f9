//! What every guard does alike: it shows the value that it guards.

/// `Deref`, `Debug` and `Display` of a guard whose field `held` is a pointer to the value, and
/// `DerefMut` after the word `mut`.
macro_rules! see_through {
    (impl[$($parameters:tt)*] $guard:ty => $value:ident) => {
        impl<$($parameters)*> std::ops::Deref for $guard {
            type Target = $value;

            #[inline]
            fn deref(&self) -> &$value {
                &self.held
            }
        }

        impl<$($parameters)*> std::fmt::Debug for $guard
        where
            $value: std::fmt::Debug,
        {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                std::fmt::Debug::fmt(&**self, f)
            }
        }

        impl<$($parameters)*> std::fmt::Display for $guard
        where
            $value: std::fmt::Display,
        {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                std::fmt::Display::fmt(&**self, f)
            }
        }
    };
    (impl[$($parameters:tt)*] $guard:ty => mut $value:ident) => {
        $crate::sync::see_through::see_through!(impl[$($parameters)*] $guard => $value);

        impl<$($parameters)*> std::ops::DerefMut for $guard {
            #[inline]
            fn deref_mut(&mut self) -> &mut $value {
                &mut self.held
            }
        }
    };
}

pub(crate) use see_through;
