import { Caller, RequireScopes } from '@countersign/nest'
import { MessageBody, SubscribeMessage, WebSocketGateway } from '@nestjs/websockets'

/** Who may connect, and so who may send at least. */
@WebSocketGateway({ path: '/feed' })
@RequireScopes('orders:read')
export class Feed {
  @SubscribeMessage('follow')
  follow(@MessageBody() id: string, @Caller() caller: Caller): object {
    return { event: 'following', data: `${id}, for ${caller.id}` }
  }

  @SubscribeMessage('publish')
  @RequireScopes('orders:write')
  publish(@MessageBody() text: string): object {
    return { event: 'published', data: text }
  }
}
