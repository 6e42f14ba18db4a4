package templates

import (
	"encoding/base32"
	"encoding/base64"
)

func encodingFunctions(sprigs map[string]any) []entry {
	sum := func(name string) impl { return onText(1, from[func(string) string](sprigs, name)) }
	return []entry{
		{"TEXT -> text", "b64enc", "the text in base64", `b64enc "hello"`, "aGVsbG8=", onText(2, from[func(string) string](sprigs, "b64enc"))},
		{"TEXT -> text", "b64dec", "the text that base64 stands for", `b64dec "aGVsbG8="`, "hello", decode("base64", base64.StdEncoding.DecodeString)},
		{"TEXT -> text", "b32enc", "the text in base32", `b32enc "hello"`, "NBSWY3DP", onText(3, from[func(string) string](sprigs, "b32enc"))},
		{"TEXT -> text", "b32dec", "the text that base32 stands for", `b32dec "NBSWY3DP"`, "hello", decode("base32", base32.StdEncoding.DecodeString)},
		{"TEXT -> text", "sha1sum", "the SHA-1 of the text, in hexadecimal", `sha1sum "hello"`, "aaf4c61ddcc5e8a2dabede0f3b482cd9aea9434d", sum("sha1sum")},
		{"TEXT -> text", "sha256sum", "the SHA-256 of the text, in hexadecimal", `sha256sum "hello"`, "2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824", sum("sha256sum")},
		{"TEXT -> text", "sha512sum", "the SHA-512 of the text, in hexadecimal", `sha512sum "" | trunc 16`, "cf83e1357eefb8bd", sum("sha512sum")},
		{"TEXT -> text", "adler32sum", "the Adler-32 of the text, in decimal", `adler32sum "hello"`, "103547413", sum("adler32sum")},
	}
}

// decode is strict where sprig prints the error as if it were the text.
func decode(name string, f func(string) ([]byte, error)) impl {
	return func(b *budget, args []any) (any, error) {
		s, err := b.textArg(args[0])
		if err != nil {
			return nil, err
		}
		if err := b.takeEach(int64(len(s)), 2); err != nil {
			return nil, err
		}
		decoded, err := f(s)
		if err != nil {
			return nil, failed("needs %s, but gets %s", name, described(s))
		}
		return string(decoded), nil
	}
}
