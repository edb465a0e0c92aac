package printable

import (
	"testing"

	"github.com/stretchr/testify/require"
)

func TestEscape(t *testing.T) {
	for s, want := range map[string]string{
		"":                              "",
		"plain 'a' \"b\" \\":            "plain 'a' \"b\" \\",
		"red \x1b[31m, bell \a":         `red \x1b[31m, bell \a`,
		"over\rwritten\b":               `over\rwritten\b`,
		"two\nlines\tand a tab":         `two\nlines\tand a tab`,
		"C1 \u009b31m":                  `C1 \u009b31m`,
		"right to left \u202e":          `right to left \u202e`,
		"não é UTF-8: \xff":             `não é UTF-8: \ufffd`,
		"日本語 and a no-break\u00a0space": `日本語 and a no-break\u00a0space`,
	} {
		require.Equal(t, want, Escape(s), "Escape(%q)", s)
	}
}
