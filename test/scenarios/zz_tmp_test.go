package scenarios
import ("testing";"moorgate.dev/internal/gate")
func TestTmp(t *testing.T){
	p:=moored(t).place(t, usual("Warn"))
	p.kubectl("","patch","guardrail",p.ns,"--type=merge","-p",`{"spec":{"admission":{"mode":"Observe"}}}`)
	p.eventually(t,"observe",func() error{ out,_:=p.kubectl(neverReady("x"),"apply","--dry-run=server","-f","-"); if holdsAll(out,"moorgate:")==nil {return holdsAll(out,"NOPE")}; return nil})
	p.apply("a",sound("web"))
	p.newCase("Deployment","web",nil)
	p.kubectl("","patch","guardrail",p.ns,"--type=merge","-p",`{"spec":{"admission":{"mode":"Warn"}}}`)
	cs,_:=p.cases(gate.FaceWebhook,"Deployment","web")
	t.Log(p.until(t.Context(),func() error{ return p.accounted("web")}), len(cs))
}
