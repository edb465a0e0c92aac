package bidi

import (
	"testing"

	"github.com/stretchr/testify/require"

	chatv1 "example.com/streams/04-bidi/chat/v1"
)

func TestLine_IsSafeToPrint(t *testing.T) {
	for want, msg := range map[string]*chatv1.ChatMessage{
		`ann: \x1b[2Jhi\tthere`: textMessage("ann", "\x1b[2Jhi\tthere"),
		`a\nb: hi`:              textMessage("a\nb", "hi"),
		`* a\rb joined`:         joinMessage("a\rb", "go", "c"),
		"* ann left":            leaveMessage("ann", chatv1.Leave_REASON_UNSPECIFIED),
		"* bob was too slow":    leaveMessage("bob", chatv1.Leave_REASON_TOO_SLOW),
		"* ann sent an event that this client does not know": {Sender: "ann"},
	} {
		require.Equal(t, want, Line(msg))
	}
}
