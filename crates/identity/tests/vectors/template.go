// Writes what Go's text/template makes of templates, one JSON object a line:
//
//	go run template.go > template.jsonl      some of each sort
//	go run template.go COUNT SEED > more     that many of each sort
//
// Sorts: "within" are templates of the forms that are supported, "damaged" are those with one
// character changed, "written" are the ones below, and "claims" are "within" with a token's claims
// over the values that all of them see. Numbers are written out, as in Fulcio after v1.8.8.
package main

import (
	"encoding/json"
	"fmt"
	"maps"
	"math/rand/v2"
	"os"
	"strconv"
	"strings"
	"text/template"
)

type result struct {
	Sort     string `json:"sort"`
	Template string `json:"template"`
	Claims   string `json:"claims,omitempty"`
	Text     string `json:"text"`
	Refused  bool   `json:"refused,omitempty"`
	Error    string `json:"error,omitempty"`
}

var values = map[string]string{
	"a": "x", "b": "", "c": "x", "a_1": "true", "q": "it's \"q\"\n\u00a0", "ä": "é", "oidc.x/y": "true", "true": "t", "f": "false",
}

func judge(sort, text, claims string) result {
	r := result{Sort: sort, Template: text, Claims: claims}
	values := maps.Clone(values)
	if claims != "" {
		overlay(values, claims)
	}
	t, err := template.New("").Option("missingkey=error").Parse(text)
	if err != nil {
		r.Refused = true
		return r
	}
	var b strings.Builder
	if err := t.Execute(&b, values); err != nil {
		r.Error = err.Error()
		return r
	}
	r.Text = b.String()
	return r
}

// overlay puts claims over values as the texts that Fulcio makes of them.
func overlay(values map[string]string, claims string) {
	var typed map[string]any
	if err := json.Unmarshal([]byte(claims), &typed); err != nil {
		panic(err)
	}
	for name, claim := range typed {
		if number, ok := claim.(float64); ok {
			values[name] = strconv.FormatFloat(number, 'f', -1, 64)
		} else {
			values[name] = fmt.Sprintf("%v", claim)
		}
	}
}

type maker struct{ *rand.Rand }

func (m maker) of(choices ...string) string { return choices[m.IntN(len(choices))] }

// claims makes an object whose names are those that templates use.
func (m maker) claims() string {
	var b strings.Builder
	b.WriteString("{")
	for n, i := 1+m.IntN(4), 0; i < n; i++ {
		names := []string{"a", "b", "c", "a_1", "q", "ä", "oidc.x/y", "f", "missing"}
		if i > 0 {
			b.WriteString(",")
		}
		// Each name once: only every n-th may be the i-th.
		name := names[i+n*m.IntN((len(names)-i+n-1)/n)]
		b.WriteString(strconv.Quote(name) + ":" + m.of(`"x"`, `""`, `"true"`, `"{{.a}}"`, `"<&>\u2028\\ \u00e9"`, "null", "true", "false", "0", "-0", "1", "1.5", "-2.50",
			"1e3", "1000000", "9007199254740993", "12345678901234567890", "1e21", "1e-7", "[]", "{}", `["a",1,null,[true]]`, `{"b":1e6,"a":{"c":[1.5]}}`, `[1e20,1e-5,"x y"]`))
	}
	return b.String() + "}"
}

func (m maker) field() string {
	return m.of(".a", ".b", ".c", ".a_1", ".q", ".ä", ".true", ".f", ".missing", ".b", ".a", ".c")
}

func (m maker) literal() string {
	return m.of(`"x"`, `""`, "`raw\\n`", `"oidc.x/y"`, `"\t\"\u00e9\x41\101"`, "true", "false", `"true"`, `"missing"`, `"a"`)
}

func (m maker) operand(depth int) string {
	switch n := m.IntN(8); {
	case n < 3:
		return m.field()
	case n < 6 || depth <= 0:
		return m.literal()
	default:
		return "(" + m.space() + m.pipeline(depth-1) + m.space() + ")"
	}
}

func (m maker) space() string { return m.of("", "", "", " ", "  ", "\n", "\t") }
func (m maker) gap() string   { return m.of(" ", " ", " ", "  ", "\n ") }

func (m maker) arguments(depth, count int) string {
	var b strings.Builder
	for range count {
		b.WriteString(m.gap() + m.operand(depth))
	}
	return b.String()
}

// Missing is 1 where one argument comes through a pipe.
func (m maker) call(depth, missing int) string {
	switch m.IntN(7) {
	case 0:
		return "and" + m.arguments(depth, 1+m.IntN(3))
	case 1:
		return "or" + m.arguments(depth, 1+m.IntN(3))
	case 2:
		return "not" + m.arguments(depth, 1-missing)
	case 3:
		return "eq" + m.arguments(depth, 2-missing+m.IntN(3))
	case 4:
		return "ne" + m.arguments(depth, 2-missing)
	case 5:
		if missing == 1 {
			return "index" + m.gap() + "."
		}
		return "index" + m.gap() + "." + m.gap() + m.of(`"a"`, `"missing"`, `"oidc.x/y"`, ".a", ".f", "(eq .a .c)", "(printf \"%s\" .a)", "`ä`")
	default:
		verbs := m.IntN(3) + missing
		var b strings.Builder
		for range verbs {
			b.WriteString(m.of("%s", "%v", "%q", "%t", "%%") + m.of("", "-", "é "))
		}
		format := b.String()
		count := strings.Count(strings.ReplaceAll(format, "%%", ""), "%")
		if count < missing {
			format, count = format+"%v", 1
		}
		return "printf" + m.gap() + strconv.Quote(format) + m.arguments(depth, count-missing)
	}
}

func (m maker) pipeline(depth int) string {
	var b strings.Builder
	if m.IntN(2) == 0 {
		b.WriteString(m.operand(depth))
	} else {
		b.WriteString(m.call(depth, 0))
	}
	for m.IntN(4) == 0 {
		b.WriteString(m.space() + "|" + m.space() + m.call(depth, 1))
	}
	return b.String()
}

func (m maker) action(inside string) string {
	return m.of("{{", "{{", "{{ ", "{{- ", "{{-\n") + inside + m.of("}}", "}}", " }}", " -}}", "\n-}}", "  -}}")
}

func (m maker) list(depth int) string {
	var b strings.Builder
	for n := m.IntN(4); n >= 0; n-- {
		switch m.IntN(6) {
		case 0, 1:
			b.WriteString(m.of("/", " ", "text\n", "\n \t", "https://h/", "é", "}}", "{", "-"))
		case 2, 3:
			b.WriteString(m.action(m.pipeline(2)))
		case 4:
			b.WriteString(m.of("{{/* c */}}", "{{- /* {{}} */ -}}", "{{/**/ -}}"))
		default:
			if depth > 0 {
				b.WriteString(m.action("if "+m.pipeline(1)) + m.list(depth-1))
				for m.IntN(4) == 0 {
					b.WriteString(m.action("else if "+m.pipeline(1)) + m.list(depth-1))
				}
				if m.IntN(2) == 0 {
					b.WriteString(m.action("else") + m.list(depth-1))
				}
				b.WriteString(m.action("end"))
			}
		}
	}
	return b.String()
}

func (m maker) damage(text string) string {
	characters := []rune(text)
	at := m.IntN(len(characters))
	switch m.IntN(3) {
	case 0:
		return string(characters[:at]) + string(characters[at+1:])
	case 1:
		return string(characters[:at]) + m.of(" ", "{", "}", "-", ".", "|", "(", ")", "\"", "`", "\\", "$", ":=", ",", "1", "x", "\n", "%", "/*", "{{", "}}") + string(characters[at:])
	default:
		return string(characters[:at]) + m.of(" ", "{", "}", "-", ".", "|", "(", ")", "\"", "`", "\\", "x", "\x00") + string(characters[at+1:])
	}
}

var written = []string{
	"{{.a}}", "{{ .a }}/{{ .c }}", "{{.missing}}", "x\ny {{.missing}}", "x\n\n  {{ if eq .a .missing }}{{end}}", "{{index . \"missing\"}}",
	`{{if eq (index . "oidc.x/y") "true"}}ssh-rerun{{ else }}""{{end}}`, `{{if eq .a "branch"}}refs/heads/{{else}}refs/tags/{{end}}{{.a}}`,
	"{{eq .a true}}", "{{ .a | eq true}}", "{{if ne .a false}}{{end}}", "{{eq .a (not .b)}}", "{{index . true}}", "{{index . (not .a)}}", "{{ not .a | index .}}",
	"{{.a.b}}", "{{.missing.b}}", "{{(.a).b}}", "{{.a .b}}", "{{.a | .b}}", "{{\"a\" | \"b\"}}", "{{.}}", "{{index .}}", "{{index .a 0}}", "{{index . \"a\" \"b\"}}",
	"{{len .a}}", "{{print .a}}", "{{.a | html}}", "{{.a | urlquery}}", "{{lt .a .b}}", "{{slice .a 0 1}}", "{{call .a}}", "{{nope .a}}",
	"{{range .}}{{end}}", "{{with .a}}{{.}}{{end}}", "{{define \"x\"}}{{end}}", "{{template \"x\"}}", "{{block \"x\" .}}{{end}}", "{{break}}", "{{continue}}", "{{nil}}", "{{eq .a nil}}",
	"{{$x := .a}}{{$x}}", "{{$}}", "{{$.a}}", "{{1}}", "{{eq .a 1}}", "{{-1}}", "{{.5}}", "{{'x'}}", "{{1i}}", "{{0x1F}}",
	"{{", "{{.a", "{{.a}", "{{}}", "{{ }}", "{{-}}", "{{- }}", "{{- -}}", "{{ - }}", "{{if}}{{end}}", "{{if .a}}", "{{if .a}}x", "{{else}}", "{{end}}", "{{if .a}}{{else}}{{else}}{{end}}",
	"{{if .a}}{{end}}{{end}}", "{{if .a}}{{else if}}{{end}}", "{{else if .a}}", "{{if .a}}{{else .b}}{{end}}", "{{if .a}}{{end .b}}", "{{.a}}}}", "{{{.a}}}", "{{.a}}{{.c}}",
	"{{(.a}}", "{{.a)}}", "{{()}}", "{{(())}}", "{{((.a))}}", "{{.a|}}", "{{|.a}}", "{{.a||.b}}", "{{.a,.b}}", "{{.a=.b}}", "{{.a:=.b}}", "{{.a.}}", "{{.a..b}}", "{{..a}}", "{{. a}}", "{{.a\"x\"}}", "{{\"x\"\"y\"}}",
	"{{\"x\".a}}", "{{eq.a.b}}", "{{eq .a.b}}", "{{eq \"x\"\"x\"}}", "{{eq(.a)(.c)}}", "{{eq (.a)(.c)}}", "{{not.a}}", "{{not(.a)}}", "{{and}}", "{{or}}", "{{not}}", "{{eq}}", "{{ne}}", "{{eq .a}}", "{{ne .a}}", "{{ne .a .b .c}}", "{{not .a .b}}", "{{.a | not}}", "{{.a | not .b}}",
	"{{and .a eq}}", "{{and .b .missing}}", "{{or .a .missing}}", "{{.missing | or .a}}", "{{.a | and .c}}", "{{and true}}", "{{or false}}",
	"{{printf}}", "{{printf .a}}", "{{printf \"x\"}}", "{{printf \"%s\"}}", "{{printf \"%s\" .a .b}}", "{{printf \"%d\" .a}}", "{{printf \"%5s\" .a}}", "{{printf \"%\"}}", "{{.a | printf}}", "{{.a | printf \"%s\"}}", "{{\"%s\" | printf}}", "{{printf \"%q %q\" .q .ä}}", "{{printf `%q` \"\u200b\u00ad\u0301\"}}",
	"{{/* a */}}", "{{/* a }}", "{{/* a */ }}", "{{ /* a */}}", "{{.a /* a */}}", "{{- /* a */ -}}", "{{/* a */-}}", "x {{- /* a */}} y", "x {{/* a */ -}} y",
	"x {{- .a -}} y", "x {{-.a-}} y", "x {{- .a-}} y", "x\t\r\n{{- .a -}}\n\n", "x\u00a0{{- .a}}", "{{.a -}}", "{{ .a  -}} ", "{{.a\n-}} \u2003", "{{\"}}\"}}", "{{\"a\nb\"}}", "{{`a\nb\r`}}", "{{\"\\z\"}}", "{{\"\\'\"}}", "{{\"\\ud800\"}}", "{{\"\\xff\"}}", "{{\"\\400\"}}", "{{\"\\377\"}}", "{{\"\\x7f\"}}", "{{\"a", "{{`a", "{{\"a\\",
	"{{.ä}}", "{{.\u0301}}", "{{.a\u0301}}", "{{ä}}", "{{.a\u00a0}}", "{{.1}}", "{{.a1}}", "{{._}}", "{{.a-b}}", "{{.a/b}}", "{{.true}}", "{{.if}}", "{{.end}}", "{{iff .a}}{{end}}", "{{True}}", "{{true}}{{false}}", "{{if true}}y{{end}}",
	"{{if .b}}1{{else if .a}}2{{else if .missing}}3{{else}}4{{end}}", "{{if .a}}{{if .b}}1{{else}}2{{end}}3{{end}}", "{{ if .a -}} 1 {{- else -}} 2 {{- end }} 3", "\x00{{.a}}", "{{\x00}}", "{{@}}", "{{é}}", "{{.a}} {{\"", "a}}b", "}}{{.a}}{{",
}

func main() {
	count, seed := 500, 1
	if len(os.Args) == 3 {
		count, _ = strconv.Atoi(os.Args[1])
		seed, _ = strconv.Atoi(os.Args[2])
	}
	m := maker{rand.New(rand.NewPCG(uint64(seed), 1))}
	encoder := json.NewEncoder(os.Stdout)
	encoder.SetEscapeHTML(false)
	write := func(sort, text, claims string) {
		if err := encoder.Encode(judge(sort, text, claims)); err != nil {
			panic(err)
		}
	}
	for _, text := range written {
		write("written", text, "")
	}
	for range count {
		text := m.list(2)
		for !strings.Contains(text, "{{") {
			text = m.list(2)
		}
		write("within", text, "")
		write("damaged", m.damage(text), "")
	}
	for range count {
		write("claims", m.action(m.pipeline(1))+m.list(1)+m.action(m.field()), m.claims())
	}
}
