package bidi

import (
	"strings"
	"unicode"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	chatv1 "example.com/streams/04-bidi/chat/v1"
)

// Limits in bytes.
const (
	MaxName = 32   // of a name or a room
	MaxText = 4096 // of a text
)

var errShutdown = status.Error(codes.Unavailable, "the server is shutting down; join again later")

func joined(m *Member) *chatv1.ChatMessage {
	return &chatv1.ChatMessage{Sender: m.name, Event: &chatv1.ChatMessage_Join{
		Join: &chatv1.Join{Room: m.room, Name: m.name},
	}}
}

func said(m *Member, text string) *chatv1.ChatMessage {
	return &chatv1.ChatMessage{Sender: m.name, Event: &chatv1.ChatMessage_Text{Text: text}}
}

func left(m *Member, why chatv1.Leave_Reason) *chatv1.ChatMessage {
	return &chatv1.ChatMessage{Sender: m.name, Event: &chatv1.ChatMessage_Leave{
		Leave: &chatv1.Leave{Reason: why},
	}}
}

func shutdown() *chatv1.ChatMessage {
	return &chatv1.ChatMessage{Event: &chatv1.ChatMessage_Leave{
		Leave: &chatv1.Leave{Reason: chatv1.Leave_REASON_SHUTDOWN},
	}}
}

// Line returns msg as a line of text, such as "ann: hello" or "* bob left".
// It is safe to print: control characters are replaced by U+FFFD.
func Line(msg *chatv1.ChatMessage) string {
	switch event := msg.GetEvent().(type) {
	case *chatv1.ChatMessage_Join:
		return Clean("* " + msg.GetSender() + " joined")
	case *chatv1.ChatMessage_Text:
		return Clean(msg.GetSender() + ": " + event.Text)
	case *chatv1.ChatMessage_Leave:
		return Clean("* " + farewell(msg.GetSender(), event.Leave.GetReason()))
	default:
		return Clean("* " + msg.GetSender() + " did something that this version does not know")
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

// Clean makes a text of s that a server accepts and a terminal can print:
// what is not UTF-8, and control characters but tabs, become U+FFFD.
func Clean(s string) string {
	return strings.Map(func(r rune) rune {
		if isControl(r) {
			return unicode.ReplacementChar
		}
		return r
	}, s)
}

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
	return refuse(field, s, func(r rune) bool { return r == ' ' || !unicode.IsPrint(r) })
}

// checkText refuses control characters, because the others' terminals
// would obey them.
func checkText(s string) error {
	if err := checkLength("text", s, MaxText); err != nil {
		return err
	}
	return refuse("text", s, isControl)
}

func isControl(r rune) bool { return r != '\t' && unicode.IsControl(r) }

func checkLength(field, s string, limit int) error {
	if len(s) < 1 || len(s) > limit {
		return status.Errorf(codes.InvalidArgument,
			"%s: must have 1 to %d bytes, has %d", field, limit, len(s))
	}
	return nil
}

func refuse(field, s string, bad func(rune) bool) error {
	if i := strings.IndexFunc(s, bad); i >= 0 {
		return status.Errorf(codes.InvalidArgument,
			"%s: must not contain %q", field, []rune(s[i:])[0])
	}
	return nil
}
