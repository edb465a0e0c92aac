package bidi

import (
	"fmt"
	"strings"
	"unicode"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	chatv1 "example.com/streams/04-bidi/chat/v1"
	"example.com/streams/internal/printable"
)

// Limits in bytes.
const (
	MaxName = 32   // of a name or a room
	MaxText = 4096 // of a text
)

var errShutdown = status.Error(codes.Unavailable, "shutting down; join again later")

func joinMessage(sender, room, name string) *chatv1.ChatMessage {
	return &chatv1.ChatMessage{Sender: sender, Event: &chatv1.ChatMessage_Join{
		Join: &chatv1.Join{Room: room, Name: name},
	}}
}

func textMessage(sender, text string) *chatv1.ChatMessage {
	return &chatv1.ChatMessage{Sender: sender, Event: &chatv1.ChatMessage_Text{Text: text}}
}

func leaveMessage(sender string, why chatv1.Leave_Reason) *chatv1.ChatMessage {
	return &chatv1.ChatMessage{Sender: sender, Event: &chatv1.ChatMessage_Leave{
		Leave: &chatv1.Leave{Reason: why},
	}}
}

func missedMessage(notices uint32) *chatv1.ChatMessage {
	return &chatv1.ChatMessage{Event: &chatv1.ChatMessage_Missed{Missed: &chatv1.Missed{Notices: notices}}}
}

// Line returns msg as a line of text, such as "ann: hello" or "* bob left".
// The line is safe to print: characters that a terminal would obey are
// escaped.
func Line(msg *chatv1.ChatMessage) string {
	sender := msg.GetSender()
	switch event := msg.GetEvent().(type) {
	case *chatv1.ChatMessage_Join:
		return printable.Escape("* " + sender + " joined")
	case *chatv1.ChatMessage_Text:
		return printable.Escape(sender + ": " + event.Text)
	case *chatv1.ChatMessage_Leave:
		return printable.Escape("* " + farewell(sender, event.Leave.GetReason()))
	case *chatv1.ChatMessage_Missed:
		return fmt.Sprintf("* %d more joined or left", event.Missed.GetNotices())
	default:
		return printable.Escape("* " + sender + " sent an event that this client does not know")
	}
}

func farewell(name string, why chatv1.Leave_Reason) string {
	switch why {
	case chatv1.Leave_REASON_DISCONNECTED:
		return name + " was disconnected"
	case chatv1.Leave_REASON_TOO_SLOW:
		return name + " was too slow"
	case chatv1.Leave_REASON_SHUTDOWN:
		return "the server is shutting down"
	default:
		return name + " left"
	}
}

// checkJoin returns InvalidArgument if a room or a name is not valid.
func checkJoin(room, name string) error {
	if err := checkName("room", room); err != nil {
		return err
	}
	return checkName("name", name)
}

func checkName(field, s string) error {
	if err := checkLength(field, s, MaxName); err != nil {
		return err
	}
	return checkRunes(field, s, func(r rune) bool {
		return r == ' ' || !isVisible(r) || r == '\u2800' || // a blank
			unicode.In(r, unicode.Other_Default_Ignorable_Code_Point, unicode.Variation_Selector) // no ink
	})
}

// checkText refuses what the terminals of the other members would obey or
// not show: control characters except tabs, characters that reverse the
// direction of text, some that have no width, and spaces other than ' '.
func checkText(s string) error {
	if err := checkLength("text", s, MaxText); err != nil {
		return err
	}
	return checkRunes("text", s, func(r rune) bool { return r != '\t' && !isVisible(r) })
}

// isVisible reports whether [Line] shows r as it is.
func isVisible(r rune) bool { return printable.Escape(string(r)) == string(r) }

func checkLength(field, s string, limit int) error {
	if len(s) < 1 || len(s) > limit {
		return status.Errorf(codes.InvalidArgument,
			"%s: must have 1 to %d bytes, got %d", field, limit, len(s))
	}
	return nil
}

func checkRunes(field, s string, bad func(rune) bool) error {
	if i := strings.IndexFunc(s, bad); i >= 0 {
		return status.Errorf(codes.InvalidArgument,
			"%s: must not contain %+q", field, []rune(s[i:])[0])
	}
	return nil
}
