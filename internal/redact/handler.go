package redact

import (
	"context"
	"fmt"
	"log/slog"
)

// Handler makes a log handler whose every message and value has passed Text.
func (d *Door) Handler(next slog.Handler) slog.Handler { return handler{d, next} }

type handler struct {
	door *Door
	next slog.Handler
}

func (h handler) Enabled(ctx context.Context, l slog.Level) bool { return h.next.Enabled(ctx, l) }

func (h handler) Handle(ctx context.Context, r slog.Record) error {
	clean := slog.NewRecord(r.Time, r.Level, h.door.Text(r.Message), r.PC)
	r.Attrs(func(a slog.Attr) bool {
		clean.AddAttrs(h.attr(a))
		return true
	})
	return h.next.Handle(ctx, clean)
}

func (h handler) WithAttrs(attrs []slog.Attr) slog.Handler {
	clean := make([]slog.Attr, len(attrs))
	for i := range attrs {
		clean[i] = h.attr(attrs[i])
	}
	return handler{h.door, h.next.WithAttrs(clean)}
}

func (h handler) WithGroup(name string) slog.Handler { return handler{h.door, h.next.WithGroup(name)} }

// attr is an attribute whose value has passed Text: of a value of any type, what it is printed as.
func (h handler) attr(a slog.Attr) slog.Attr {
	v := a.Value.Resolve()
	switch v.Kind() {
	case slog.KindString:
		return slog.String(a.Key, h.named(a.Key, v.String()))
	case slog.KindGroup:
		group := v.Group()
		clean := make([]slog.Attr, len(group))
		for i := range group {
			clean[i] = h.attr(group[i])
		}
		return slog.Attr{Key: a.Key, Value: slog.GroupValue(clean...)}
	case slog.KindAny:
		if err, ok := v.Any().(error); ok && err != nil {
			return slog.String(a.Key, h.named(a.Key, err.Error()))
		}
		if b, ok := v.Any().([]byte); ok {
			return slog.String(a.Key, h.named(a.Key, string(b)))
		}
		return slog.String(a.Key, h.named(a.Key, fmt.Sprintf("%+v", v.Any())))
	}
	return slog.Attr{Key: a.Key, Value: v}
}

// named is a value under its name: an attribute called password is one, whatever it holds.
func (h handler) named(key, value string) string {
	if h.door == nil {
		return Closed
	}
	if whole := key + "=" + value; h.door.Text(whole) != whole && h.door.Text(value) == value && h.door.Text(key) == key {
		return h.door.Value(value)
	}
	return h.door.Text(value)
}
