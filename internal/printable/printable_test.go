package printable

import (
	"fmt"
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
		"❤️ keeps its variation selector, e\u0301 its mark": "❤️ keeps its variation selector, e\u0301 its mark",
	} {
		require.Equal(t, want, Escape(s), "Escape(%q)", s)
	}
}

func TestEscape_WritesWhatCannotBeSeen(t *testing.T) {
	for name, runes := range map[string][]rune{
		"direction of text":  {0x061C, 0x200E, 0x200F, 0x202A, 0x202B, 0x202C, 0x202D, 0x202E, 0x2066, 0x2067, 0x2068, 0x2069},
		"zero width":         {0x00AD, 0x034F, 0x180E, 0x200B, 0x200C, 0x200D, 0x2060, 0x2065, 0xFEFF},
		"line breaks":        {0x0085, 0x2028, 0x2029},
		"tags":               {0xE0000, 0xE0001, 0xE0020, 0xE007E, 0xE007F},
		"blank letters":      {0x115F, 0x1160, 0x17B4, 0x2800, 0x3164, 0xFFA0},
		"spaces":             {0x00A0, 0x2000, 0x2003, 0x202F, 0x3000},
		"not characters":     {0xE000, 0xFFFE, 0xFFFF, 0x10FFFF},
		"interlinear, music": {0xFFF9, 0xFFFB, 0x1D173},
	} {
		for _, r := range runes {
			format := `a\u%04xb`
			if r > 0xFFFF {
				format = `a\U%08xb`
			}
			require.Equal(t, fmt.Sprintf(format, r), Escape("a"+string(r)+"b"), name)
		}
	}
}
