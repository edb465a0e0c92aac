// Package printable makes text from another process safe to print on a
// terminal.
package printable

import (
	"strconv"
	"strings"
)

// Escape returns s with every rune that is not printable written as a Go
// escape sequence: control characters, line breaks, invisible spaces, and
// the characters that reverse the direction of text. Bytes that are not
// UTF-8 become \ufffd. Escape leaves all other runes, also quotes and
// backslashes, as they are.
func Escape(s string) string {
	var b strings.Builder
	for _, r := range s {
		if strconv.IsPrint(r) && r != '\uFFFD' {
			b.WriteRune(r)
		} else {
			b.WriteString(strings.Trim(strconv.QuoteRuneToASCII(r), "'"))
		}
	}
	return b.String()
}
