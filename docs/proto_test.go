package docs_test

import (
	"regexp"
	"strings"
)

var (
	protoNoise = regexp.MustCompile(`"(?:\\.|[^"\\])*"|'(?:\\.|[^'\\])*'|//.*`)
	protoStart = regexp.MustCompile(`^\s*(?:message|service|rpc|enum)\s+(\w+)`)
)

// An openProto is a declaration whose end is still to come.
type openProto struct {
	name  string // with the names it stands in: Service.Rpc
	first int
	depth int
}

// protoDeclared finds messages, services, rpcs and enums by their braces.
// Each is known by its full name and, unless an earlier one has it, by
// its last word. It reads files as buf formats them: one declaration
// starts a line, comments are // lines.
func protoDeclared(lines []string) map[string]declaration {
	known := map[string]declaration{}
	var open []openProto
	depth := 0
	for i, line := range lines {
		line = protoNoise.ReplaceAllString(line, "")
		if m := protoStart.FindStringSubmatch(line); m != nil {
			name := m[1]
			if len(open) > 0 {
				name = open[len(open)-1].name + "." + name
			}
			open = append(open, openProto{name, i + 1, depth})
		}
		depth += strings.Count(line, "{") - strings.Count(line, "}")
		if n := len(open); n > 0 && open[n-1].depth >= depth && strings.ContainsAny(line, ";}") {
			addProto(known, lines, open[n-1], i+1)
			open = open[:n-1]
		}
	}
	return known
}

func addProto(known map[string]declaration, lines []string, o openProto, last int) {
	d := declaration{doc: o.first, first: o.first, last: last}
	for d.doc > 1 && strings.HasPrefix(strings.TrimSpace(lines[d.doc-2]), "//") {
		d.doc--
	}
	known[o.name] = d
	if _, taken := known[lastWord(o.name)]; !taken {
		known[lastWord(o.name)] = d
	}
}
