package docs_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// forms are what a code directive may say, and what it gives.
var forms = map[string]string{
	"01-demo/log.go Log.Append": `
func (l *Log[T]) Append(entry T) {
	l.entries = append(l.entries, entry)
}`,
	"01-demo/log.go Min": `
const (
	Max = 10
	Min = 1
)`,
	"01-demo/log.go Max doc": `
// Limits of a log.
const (
	Max = 10
	Min = 1
)`,
	"01-demo/log.go Sample Log": `
//go:embed sample.log
var Sample string // a few lines

type Log[T any] struct {
	entries []T // oldest first
}`,
	"01-demo/log.go Sample doc": `
// Sample is what the tests read.
//
//go:embed sample.log
var Sample string // a few lines`,
	"01-demo/log.go /use.j/": `
use(j)`,
	"01-demo/log.go /for i/ /use.j/": `
for i := range 2 {
	use(i)
}

for j := range 3 {
	use(j)`,
	"01-demo/log.go Log.Append /l Log|append/ /^}/": `
	l.entries = append(l.entries, entry)
}`,
	"01-demo/conf.yaml /path: 01/ /path: 02/": `
- path: 01-demo
- path: 02-other`,
	`01-demo/conf.yaml /x\/y/`: `
lint: x/y`,
	"02-other/other_test.go": `
package other

func TestOther(t *testing.T) {}

func ExampleLog() {
	// Output: other
}`,
	"01-demo/demo/v1/demo.proto Demo.Watch": `
rpc Watch(WatchRequest)
    returns (stream Tick);`,
	"01-demo/demo/v1/demo.proto Watch doc": `
// Watch watches.
rpc Watch(WatchRequest)
    returns (stream Tick);`,
	"01-demo/demo/v1/demo.proto WatchRequest Kind": `
message WatchRequest {}

enum Kind {
  KIND_UNSPECIFIED = 0;
}`,
	"01-demo/demo/v1/demo.proto Stop": `
rpc Stop(WatchRequest) returns (Tick) {
  option deprecated = true;
}`,
	"01-demo/demo/v1/demo.proto Tick": `
message Tick {
  // Kinds { of ticks.
  enum Kind {
    KIND_UNSPECIFIED = 0;
  }
  Kind kind = 1;
}`,
}

func TestADirectiveNamesCodeInManyForms(t *testing.T) {
	for args, want := range forms {
		t.Run(args, func(t *testing.T) {
			got, err := siteWith(t, nil).code(args)
			require.NoError(t, err)
			require.Equal(t, want, "\n"+strings.Join(got, "\n"))
		})
	}
}

func TestAnAnchorIsMadeAsTheCodeHostMakesIt(t *testing.T) {
	for heading, want := range map[string]string{
		"What it is, and for whom":      "what-it-is-and-for-whom",
		"`go test ./docs` — a command":  "go-test-docs--a-command",
		"A [link](x.md) and *emphasis*": "a-link-and-emphasis",
		"_Why_ snake_case `_stays_`":    "why-snake_case-_stays_",
		"Größe & <b>more</b> `<T>`":     "größe--more-t",
		"1. How do I… resume?":          "1-how-do-i-resume",
	} {
		require.Equal(t, want, slug(heading), heading)
	}
}
