package chart

import (
	"bytes"
	"errors"
	"reflect"
	"slices"
	"text/template"
	"text/template/parse"
)

// What one rendering may take, counted and not timed, so that it ends alike everywhere.
const (
	mostSteps  = 2_000_000 // calls of functions and templates, turns of loops, pieces of text, and values that these make
	mostText   = 8 << 20   // bytes of all that is written
	mostSource = 512 << 10 // bytes of one template: the parser goes as deep as it is told to
	mostItems  = 10_000    // of one list that is counted out
	mostValues = 100_000   // in one value that a function makes, a KiB of text for one
)

var errTooMuch = errors.New("its templates take more steps, or make more, than is allowed here")

// budget is what is left of these.
type budget struct{ steps, text int }

func (b *budget) spend(steps, text int) error {
	b.steps, b.text = b.steps-steps, b.text-text
	if b.steps < 0 || b.text < 0 {
		return errTooMuch
	}
	return nil
}

// writer is where a template writes.
type writer struct {
	bytes.Buffer
	budget *budget
}

func (w *writer) Write(p []byte) (int, error) {
	if err := w.budget.spend(1, len(p)); err != nil {
		return 0, err
	}
	return w.Buffer.Write(p)
}

var errorType = reflect.TypeFor[error]()

// comparing are functions that compare all that they are given, some of them each with each.
var comparing = []string{"deepEqual", "has", "mustHas", "uniq", "mustUniq", "without", "mustWithout"}

// guarded are functions that count, and that fail where they make too much. A panic in one of them is an error to the template.
func (b *budget) guarded(functions template.FuncMap) template.FuncMap {
	out := template.FuncMap{}
	for name, f := range functions {
		out[name] = b.guard(reflect.ValueOf(f), slices.Contains(comparing, name))
	}
	return out
}

// given counts what a function is given: a long text takes long to go through.
func (b *budget) given(args []reflect.Value, compared bool) error {
	total := 1
	for _, a := range args {
		v := a.Interface()
		if text, isText := v.(string); isText {
			total += len(text) >> 10
		}
		if compared {
			n, _ := weigh(v, mostValues)
			total += n
			if list := reflect.ValueOf(v); list.Kind() == reflect.Slice {
				total += list.Len()
			}
		}
	}
	if compared {
		total += total * total >> 5
	}
	return b.spend(total, 0)
}

func (b *budget) guard(f reflect.Value, compared bool) any {
	of := f.Type()
	in := make([]reflect.Type, of.NumIn())
	for i := range in {
		in[i] = of.In(i)
	}
	counted := reflect.FuncOf(in, []reflect.Type{of.Out(0), errorType}, of.IsVariadic())
	return reflect.MakeFunc(counted, func(args []reflect.Value) []reflect.Value {
		fail := func(err error) []reflect.Value {
			return []reflect.Value{reflect.Zero(of.Out(0)), reflect.ValueOf(&err).Elem()}
		}
		if err := b.given(args, compared); err != nil {
			return fail(err)
		}
		call := f.Call
		if of.IsVariadic() {
			call = f.CallSlice
		}
		answers := call(args)
		if len(answers) == 2 && !answers[1].IsNil() {
			return []reflect.Value{answers[0], answers[1]}
		}
		size, ok := weigh(answers[0].Interface(), mostValues)
		if err := b.spend(size, 0); err != nil || !ok {
			return fail(errTooMuch)
		}
		return []reflect.Value{answers[0], reflect.Zero(errorType)}
	}).Interface()
}

// weigh counts the values in one, a long text for as many as it is long, as far as it is allowed to go: what holds itself has no
// end.
func weigh(v any, most int) (size int, ok bool) {
	if size = 1; most < 1 {
		return size, false
	}
	in := func(inner any) bool {
		n, ok := weigh(inner, most-size)
		size += n
		return ok && size <= most
	}
	switch v := v.(type) {
	case string:
		size += len(v) >> 10
	case []byte:
		size += len(v) >> 10
	case map[string]any:
		for _, inner := range v {
			if !in(inner) {
				return size, false
			}
		}
	case []any:
		for _, inner := range v {
			if !in(inner) {
				return size, false
			}
		}
	}
	return size, size <= most
}

// stepping has every template and every turn of a loop write something, if only nothing, so that each is counted.
func stepping(t *template.Template) {
	for _, one := range t.Templates() {
		if one.Tree != nil && one.Root != nil {
			step(one.Root)
		}
	}
}

func step(list *parse.ListNode) {
	if list == nil {
		return
	}
	for _, n := range list.Nodes {
		switch n := n.(type) {
		case *parse.RangeNode:
			step(n.List)
			step(n.ElseList)
		case *parse.IfNode:
			step(n.List)
			step(n.ElseList)
		case *parse.WithNode:
			step(n.List)
			step(n.ElseList)
		}
	}
	if len(list.Nodes) == 0 || !counts(list.Nodes[0]) {
		list.Nodes = append([]parse.Node{&parse.TextNode{NodeType: parse.NodeText}}, list.Nodes...)
	}
}

// counts reports whether a node is one that step has put there.
func counts(n parse.Node) bool {
	text, isText := n.(*parse.TextNode)
	return isText && len(text.Text) == 0
}
