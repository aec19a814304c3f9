// Writes email.tsv: what govalidator's IsEmail, which Fulcio calls, says about each address.
//
//	go mod init vectors && go get github.com/asaskevich/govalidator && go run email.go >email.tsv
package main

import (
	"fmt"
	"math/rand"
	"unicode/utf16"

	"github.com/asaskevich/govalidator"
)

var chosen = []string{
	"", "@", "a", "a@", "@b.c", "a@b", "a@b.c", "a@b.c.", "a@b.c..", "a@b..c", "a@.b.c", "a@b.c1", "a@b.1c", "a@b.1", "a@1.c", "a@1.2.c",
	"ada@example.com", "Ada.Lovelace@Example.COM", "ada+tag@example.com", "ada@sub.example.co.uk", "not-an-email", "ada@localhost",
	".ada@example.com", "ada.@example.com", "a..b@example.com", "a@b@example.com", "ada@example.com ", " ada@example.com", "ada @example.com",
	"ada@exa mple.com", "ada@example.com\n", "\nada@example.com", "ada@example.com\x00", "ada\x00@example.com", "a\tb@example.com",
	"!#$%&'*+-/=?^_`{|}~@example.com", "a(b@example.com", "a,b@example.com", "a:b@example.com", "a;b@example.com", "a<b>@example.com", "a[b]@example.com", "a\\b@example.com", "a\"b@example.com",
	"ada@-example.com", "ada@example-.com", "ada@exa-mple.com", "ada@ex_ample.com", "ada@ex~ample.com", "ada@_example.com", "ada@example.c-m", "ada@example.-cm", "ada@example.cm-", "ada@example.c_m", "ada@example.c~m", "ada@example.x--y",
	"ada@[127.0.0.1]", "ada@127.0.0.1", "ada@example.com/path", "ada@example.com?x", "ada@example,com",
	"ädä@example.com", "ada@exämple.com", "ada@example.cöm", "ada@例え.テスト", "\u00a0@example.com", "ada@\u00a0.com", "\u009f@example.com", "\ue000@example.com", "\uf8ff@example.com", "\uf900@example.com", "\ufdcf@example.com", "\ufdd0@example.com", "\ufdf0@example.com", "\uffef@example.com", "\ufff0@example.com", "\U0001f600@example.com", "ada@\U0001f600.com", "\ud7ff@example.com", "٣@example.com", "ada@٣.com", "ada@x.٣",
	"\"ada\"@example.com", "\"\"@example.com", "\" \"@example.com", "\"\t\"@example.com", "\"a b\"@example.com", "\"a@b\"@example.com", "\"a\\b\"@example.com", "\"a\\\"b\"@example.com", "\"a\"b\"@example.com", "\"(\\\"@example.com", "\"(\"\"@example.com", "\"(\"@example.com", "\"((\"\"@example.com", "\"( \"@example.com", "\"(\r\"@example.com", "\"(\n\"@example.com", "\"\r\n \"@example.com", "\" \r\n \"@example.com", "\"\r\n\"@example.com", "\"a \r\n\tb\"@example.com", "\"a\rb\"@example.com", "\"a\nb\"@example.com", "\" \r\n \r\n \"@example.com", "\"a \r\n b \r\n c\"@example.com", "\"\x01\x08\x0b\x0c\x0e\x1f\x7f\"@example.com", "\"\x00\"@example.com", "\"ä\"@example.com", "\"\u0080\"@example.com", "\"(ä\"@example.com", "\"a\"@example.com.", "\"a\".b@example.com", "b.\"a\"@example.com", "\"a@example.com", "a\"@example.com",
	"\"@example.com", " \"@example.com", "\r\n \"@example.com", "\"a\"b\"c\"@example.com", "\"a\" \"b\"@example.com", "\" a\"\tb\"@example.com", "\"a\" \"@example.com", "\"(\"\"(\"\"@example.com", "\"(\"(\"@example.com", "\"(\" \"@example.com",
	"spiffe://a.b/c@d.e", "sub!domain@example.com", "https://example.com/@a.b",
}

func main() {
	for _, s := range chosen {
		row(s)
	}
	random := rand.New(rand.NewSource(1))
	pick := func(from []string) string { return from[random.Intn(len(from))] }
	local := []string{"a", "Z", "0", ".", "+", "-", "_", "ä", "(", "\"", " ", "\\", "\t", "\r\n ", "\r", "\n", "@", "!", "\x7f", "\ue000", "\U0001f600", "("}
	host := []string{"a", "Z", "0", ".", ".", "-", "_", "~", "ä", "@", " ", "\ufdd0", "c"}
	for i := 0; i < 2500; i++ {
		var s string
		quoted := random.Intn(2) == 0
		if quoted {
			s = "\""
		}
		for n := random.Intn(6); n >= 0; n-- {
			s += pick(local)
			if quoted && n > 0 && random.Intn(4) > 0 {
				s += "\""
			}
		}
		if quoted {
			s += "\""
		}
		s += "@"
		if random.Intn(3) > 0 {
			s += "x.y"
		} else {
			for n := random.Intn(7); n >= 0; n-- {
				s += pick(host)
			}
		}
		row(s)
	}
}

func row(s string) {
	fmt.Printf("%t\t%s\n", govalidator.IsEmail(s), quote(s))
}

// quote writes s as JSON in ASCII.
func quote(s string) string {
	out := "\""
	for _, unit := range utf16.Encode([]rune(s)) {
		if unit < 0x20 || unit > 0x7e || unit == '"' || unit == '\\' {
			out += fmt.Sprintf("\\u%04x", unit)
		} else {
			out += string(rune(unit))
		}
	}
	return out + "\""
}
