package errorcontract

import (
	"fmt"
	"strings"
	"testing"

	"example.com/streams/internal/golden"
)

func TestAfter_YouMayCall(t *testing.T) {
	rows := make([][2][]string, len(moments))
	t.Run("moment", func(t *testing.T) {
		for i, m := range moments {
			t.Run(m.termination.name, func(t *testing.T) {
				t.Parallel()
				rows[i] = [2][]string{results(t, m, m.may), results(t, m, m.not)}
			})
		}
	})
	var b strings.Builder
	b.WriteString("| after | you may still call | but no longer |\n|---|---|---|\n")
	for i, m := range moments {
		if len(rows[i][0]) == 0 {
			t.Log("-run has left out rows, so the table is not compared")
			return
		}
		fmt.Fprintf(&b, "| %s | %s | %s |\n", m.termination.name, strings.Join(rows[i][0], "; "), strings.Join(rows[i][1], "; "))
	}
	golden.Section(t, page, "after", b.String())
	golden.Section(t, "../../04-bidi/README.md", "after", b.String())
}

// results makes each of the calls on a stream of its own.
func results(t *testing.T, m afterwards, calls []string) (texts []string) {
	for _, call := range calls {
		name := strings.TrimPrefix(call, "handler ")
		if name == "Context" {
			name = "Context().Err()"
		}
		texts = append(texts, fmt.Sprintf("`%s`: %s", name, cell(t, []rpcType{m.rpcType}, m.termination, call)))
	}
	return texts
}
