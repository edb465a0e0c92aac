// Package printable makes text from another process safe to print on a
// terminal.
package printable

import (
	"strconv"
	"strings"
	"unicode"
)

// brailleBlank is a letter of eight dots without a dot.
const brailleBlank = '\u2800'

// Escape returns s with every rune that is not printable written as a Go
// escape sequence: control characters, line breaks, invisible characters,
// spaces other than U+0020, and the characters that reverse the direction of text. Letters
// that show nothing, such as the Hangul filler, are escaped too, because a
// name that contains one looks like another name. Bytes that are not UTF-8
// become \ufffd. Escape leaves all other runes as they are, also quotes,
// backslashes, combining marks, and the variation selectors of emoji.
func Escape(s string) string {
	var b strings.Builder
	for _, r := range s {
		if isVisible(r) && r != '\uFFFD' {
			b.WriteRune(r)
		} else {
			b.WriteString(strings.Trim(strconv.QuoteRuneToASCII(r), "'"))
		}
	}
	return b.String()
}

func isVisible(r rune) bool {
	return strconv.IsPrint(r) && r != brailleBlank && !unicode.Is(unicode.Other_Default_Ignorable_Code_Point, r)
}
