package command

import (
	"regexp"
	"strconv"
	"strings"
)

// statusPrefix is how grpc-go prints the code of a status.
var statusPrefix = regexp.MustCompile(`rpc error: code = (\S+) desc = `)

// Describe returns the text of err on one line that is safe to print. A
// gRPC status inside it is written as "Code: message". What may steer a
// terminal is escaped, as a message may come from a server that you do not
// trust.
func Describe(err error) string {
	text := statusPrefix.ReplaceAllString(err.Error(), "$1: ")
	text = strings.ReplaceAll(text, "\n", "; ") // as in errors.Join
	var line strings.Builder
	for _, r := range text {
		if strconv.IsPrint(r) {
			line.WriteRune(r)
		} else {
			line.WriteString(strings.Trim(strconv.QuoteRune(r), "'"))
		}
	}
	return line.String()
}
