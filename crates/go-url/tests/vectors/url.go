// Writes what Go makes of URLs, one JSON object a line:
//
//	go run url.go > url.jsonl            the cases below
//	go run url.go COUNT SEED > more      that many made-up ones
package main

import (
	"bytes"
	"crypto/ed25519"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"encoding/json"
	"math/big"
	prng "math/rand/v2"
	"net/url"
	"os"
	"strconv"
	"strings"
	"time"
)

type result struct {
	URL         string   `json:"url"`
	Error       string   `json:"error,omitempty"`
	Text        string   `json:"text"`
	Scheme      string   `json:"scheme"`
	Hostname    string   `json:"hostname"` // quoted
	Certificate bool     `json:"certificate"`
	Elements    []string `json:"elements"`
	Joined      string   `json:"joined"`
	JoinFails   bool     `json:"join_fails,omitempty"`
}

var _, key, _ = ed25519.GenerateKey(rand.Reader)

// Whether crypto/x509 reads a certificate that names the URI.
func inCertificate(uri string) bool {
	names, err := asn1.Marshal([]asn1.RawValue{{Class: 2, Tag: 6, Bytes: []byte(uri)}})
	if err != nil {
		panic(err)
	}
	template := &x509.Certificate{
		SerialNumber:    big.NewInt(1),
		NotAfter:        time.Now().Add(time.Hour),
		ExtraExtensions: []pkix.Extension{{Id: asn1.ObjectIdentifier{2, 5, 29, 17}, Critical: true, Value: names}},
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		return false
	}
	_, err = x509.ParseCertificate(der)
	return err == nil
}

func judge(text string, elements []string) result {
	r := result{URL: text, Elements: elements}
	u, err := url.Parse(text)
	if err != nil {
		r.Error = err.Error()
		return r
	}
	r.Text, r.Scheme, r.Hostname = u.String(), u.Scheme, strconv.Quote(u.Hostname())
	r.Certificate = inCertificate(text)
	r.Joined, err = url.JoinPath(text, elements...)
	r.JoinFails = err != nil
	return r
}

var joins = [][]string{
	{"octo-org/octo-repo/.github/workflows/release.yml@refs/heads/main"}, {"a", "b"}, {""}, {}, {"/a/"},
	{"../.."}, {"..", "x"}, {"a//b/./c/../d"}, {"a b?c#d"}, {"ä/€"}, {"%41%2f"}, {"%zz"}, {"100%"}, {"a", "/-/jobs/", "7"},
	{"."}, {"/"}, {"x:y/z"}, {"a\nb"}, {"*"}, {"~a;b,c=d&e+f$g!h'(i)j*k"}, {"[x]"}, {"\"<>^`{|}\\"},
}

var bases = []string{
	"https://github.com/", "https://github.com", "https://gitlab.com/group//project/../x", "https://a/b?c=d#e", "https://a/%2e%2e/b",
	"//host/path", "/rooted", "relative/path", "", "*", "mailto:ada@example.com", "https:", "https:/one", "urn:a:b", "file:///etc",
	"https://a/%2A", "https://a/*", "%2a", "https://a/b/", "https://u:p@a:8/b/c", "https://[::1]:80/x",
}

var cases = strings.Split(strings.TrimSpace(`
https://example.com
https://example.com/
HTTPS://EXAMPLE.com/Path
https://example.com?query=a b&c=ü
https://example.com/?
https://example.com/??
https://example.com/?a?
https://example.com/#
https://example.com/#a b
https://example.com/#ä%zz
https://example.com/#ä%41
https://example.com/#%41!'()*
https://example.com/#a#b
https://example.com/a/../b/./c//d
https://example.com/ä/€?ä#ä
https://exämple.com/x
https://xn--exmple-cua.com/x
https://ex%C3%A4mple.com/x
https://ex%41mple.com/x
https://ex%25mple.com/x
https://example.com/%41%2f%2F%7e
https://example.com/%c3%a4
https://example.com/%ff%fe
https://example.com/%
https://example.com/%4
https://example.com/%g1
https://example.com/%é
https://example.com/%aé
https://example.com/a b
https://example.com/a'b(c)!*
https://example.com/[a]
https://example.com/a|b
https://example.com/a\b
https://example.com\a
https://example.com/"<>^`+"`"+`{}
https://example.com:80/
https://example.com:/
https://example.com:port/
https://example.com:80:80/
https://example.com:8a/
foo://a:80:80/
foo://a:80,b:81/
foo://a:80,b:x/
http://[::1]/
http://[::1]:80/
http://[::1]:x/
http://[::1]x/
http://[::1%25en0]/
http://[::1%25en%200]/
http://[::1%25en%2f]/
http://[::1%25%C3]/
http://[::1%25]/
http://[::1%en0]/
http://[fe80::1%25%65%6e%301-._~]/
http://[1.2.3.4]/
http://[::ffff:1.2.3.4]/
http://[::ffff:1.2.3.256]/
http://[::ffff:1.2.3.04]/
http://[::ffff:1.2.3]/
http://[::ffff:1.2.3.4.5]/
http://[::ffff:1..3.4]/
http://[::ffff:1.2.3.]/
http://[::ffff:1.2.x.4]/
http://[1:2.3.4.5]/
http://[1:2:3:4:5:6:1.2.3.4]/
http://[::1:2:3:4:5:6:7:1.2.3.4]/
http://[1::2:3:4:5:6:1.2.3.4]/
http://[1:2:3:4:5:6:7:8]/
http://[1:2:3:4:5:6:7:8:9]/
http://[1:2:3:4:5:6:7::]/
http://[1:2:3:4:5:6:7:8::]/
http://[::1:2:3:4:5:6:7:8]/
http://[1:2:3:4:5:6:7]/
http://[1::2::3]/
http://[12345::]/
http://[1:]/
http://[:1]/
http://[g::]/
http://[1g::]/
http://[::]/
http://[::%25a]/
http://[]/
http://[x]/
http://[%25a]/
http://[/
http://]/
http://a[::1]/
http://[::1]]/
http://[[::1]/
http://[::1%2541]/
http://user@example.com/
http://user:@example.com/
http://:@example.com/
http://@example.com/
http://user:pass:word@example.com/
http://user:p@ss@example.com/
http://us%65r:p%40%3a%2f@example.com/
http://us er@example.com/
http://usér@example.com/
http://us%zzr@example.com/
http://a%2@example.com/
http://user[@example.com/
http://user@/
http://user@
http://exa mple.com/
http://exa%20mple.com/
http://exa<mple>.com/
http://exa"mple.com/
http://exa^mple.com/
http://exa{mple.com/
http://exa|mple.com/
http://exa\mple.com/
http://exa_mple.com/
http://example.com./
http://.example.com/
http://example..com/
http://example
http://-example-.com/
http://exa!mple$.com/
http://*.example.com/
http://
http:///
http:///path
http:////path
http:/path
http:path
http:
http:?a
http:#a
:
://example.com
:a
1http://example.com
+http://example.com
h+t.t-p://example.com
h_ttp://example.com
hä://example.com
example.com
example.com/path
example.com:80
example.com:80/path
example.com/a:b
a:b/c
./a:b
a/b:c
/a:b
//
//host
//host/path
///path
////path
//host:80/path
//a b/
*
*/a
**
%2a
%2A
/*
/%2A
?
?a
#
#a
/?a#b
a?b
a#b
a%zz
gitlab.com/my-group/my-project//.gitlab-ci.yml@refs/heads/main
gitlab.com/my group/.gitlab-ci.yml@refs/heads/ä
octo-org/octo-repo/.github/workflows/a.yml@refs/heads/main
mailto:ada@example.com
mailto:ä?subject=ä#ä
urn:uuid:f81d4fae-7dec-11d0-a765-00a0c91e6bf6
tel:+1-816-555-1212
data:text/plain;base64,SGVsbG8=
javascript:alert('x y')
spiffe://example.com/ns/prod/sa/builder
spiffe://example.com
spiffe://EXAMPLE.com/a
https://kubernetes.io/namespaces/default/serviceaccounts/builder
https://kubernetes.io/namespaces//serviceaccounts/
https://kubernetes.io/namespaces/a b/serviceaccounts/c?d
https://buildkite.com/acme/pipeline/builds/4#0187
https://g.codefresh.io/acc/pipe/line:1/2
https://example.com/a%2Fb/c
https://example.com/a;b,c
https://example.com/a&b=c+d$e
https://example.com/~a
https://example.com/%7Ea
https://example.com/a%20b c
https://example.com/a%20b
https://example.com/a?b=%zz
https://example.com/a?b=c d
https://example.com/a??b#c?d
https://256.256.256.256/
https://1.2.3.4/
https://1.2.3.4:443/
https://localhost/
https://例え.jp/パス?クエリ#断片
https://example.com/`+"\u200b\u00a0\u00ad"+`
https://`+"\u200b"+`/
https://a%`+"\u200b"+`/
https://a:`+"\u00ad\U000e0001\u0301ä"+`/
`), "\n")

func main() {
	var texts []string
	var elements func(int) []string
	if len(os.Args) == 3 {
		count, _ := strconv.Atoi(os.Args[1])
		seed, _ := strconv.Atoi(os.Args[2])
		random := prng.New(prng.NewPCG(uint64(seed), 1))
		parts := strings.Split("http: https: foo: // / // a b.c example.com ex%41 %C3%A4 ä € %zz %2f %2F % %25 [ ] [::1] [::1%25 [fe80::1] [1.2.3.4] [::ffff:1.2.3.4] :: 1: :80 :x : @ u:p@ ? # & = + ; , ! ' ( ) * ~ - _ . .. ./ ../ /../ // \\ ^ ` { | } < > \" $ \x01 \x7f \n \u200b \u00ad %20 mailto: 1 Z", " ")
		parts = append(parts, " ")
		pick := func(limit int) string {
			var b bytes.Buffer
			for n := random.IntN(limit); n >= 0; n-- {
				b.WriteString(parts[random.IntN(len(parts))])
			}
			return b.String()
		}
		for range count {
			text := pick(8)
			switch random.IntN(4) {
			case 0:
				text = "https://" + text
			case 1:
				text = "https://[" + text + "]/"
			}
			texts = append(texts, text)
		}
		elements = func(int) []string {
			list := []string{}
			for n := random.IntN(4); n > 0; n-- {
				list = append(list, pick(5))
			}
			return list
		}
	} else {
		for _, base := range bases {
			for range joins {
				texts = append(texts, base)
			}
		}
		joined := len(texts)
		texts = append(texts, cases...)
		for c := range 256 {
			for _, before := range []string{"https://a/", "https://a", "https://u", "b", "https://a/?", "https://a/#", "x:"} {
				after := ""
				if before == "https://u" {
					after = "@a/"
				}
				texts = append(texts, before+string(rune(c))+after)
			}
		}
		elements = func(at int) []string {
			if at < joined {
				return joins[at%len(joins)]
			}
			return []string{"c d"}
		}
	}
	encoder := json.NewEncoder(os.Stdout)
	encoder.SetEscapeHTML(false)
	for at, text := range texts {
		if err := encoder.Encode(judge(text, elements(at))); err != nil {
			panic(err)
		}
	}
}
